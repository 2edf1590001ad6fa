"""Where two runs part is found in few looks."""

from __future__ import annotations

from math import ceil, log2

from hypothesis import given
from hypothesis import strategies as st

from hadron.audit.divergence import first_difference, value_changes


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n - 1))))
def test_the_first_that_differs_is_found_in_so_many_looks(drawn: tuple[int, int]) -> None:
    count, first = drawn
    looks: list[int] = []

    def same(place: int) -> bool:
        looks.append(place)
        return place < first

    found = first_difference(count, same)

    assert found.first == first
    assert found.compared == len(looks) <= 1 + ceil(log2(count))


def test_one_look_says_that_all_are_the_same() -> None:
    assert (first_difference(1000, lambda _: True).compared) == 1
    assert first_difference(1000, lambda _: True).first is None
    assert first_difference(0, lambda _: False).first is None


def test_values_differ_in_their_leaves() -> None:
    left = {"a": {"b": [1, 2], "same": 1}, "gone": 1}
    right = {"a": {"b": [1, 3], "same": 1}, "c": [1]}

    found = [(one.what, one.left, one.right) for one in value_changes(left, right)]

    assert found == [("a.b[1]", "2", "3"), ("c", None, "[1]"), ("gone", "1", None)]
