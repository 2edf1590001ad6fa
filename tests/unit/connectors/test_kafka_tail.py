"""Reading back is cut into what is near and what was before it, and loses nothing between."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from connectors.kafka.tail import newest_first

spans = st.tuples(st.integers(0, 1_000), st.integers(1, 1_000)).map(lambda s: (s[0], s[0] + s[1]))
ranges = st.dictionaries(st.tuples(st.sampled_from("abc"), st.integers(0, 3)), spans)


@given(ranges=ranges, near=st.integers(1, 2_000))
def test_both_passes_together_are_all_and_the_first_is_the_end(
    ranges: dict[tuple[str, int], tuple[int, int]], near: int
) -> None:
    late, early = newest_first(ranges, near=near)

    assert set(late) == set(ranges)
    for place, (first, end) in ranges.items():
        begun = early.get(place, (first, first))
        assert begun[0] == first
        assert begun[1] == late[place][0] < late[place][1] == end
    assert sum(end - first for first, end in late.values()) <= max(near, len(ranges))
