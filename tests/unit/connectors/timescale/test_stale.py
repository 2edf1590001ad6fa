"""What is made again is whole buckets, all that was touched, and nothing where nothing is."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis.strategies import builds, integers, lists

from connectors.timescale.storage.stale import Range, merged, windows

NEVER = 2**63 - 1

ranges = lists(
    builds(lambda low, length: (low, low + length), integers(0, 60), integers(1, 20)), max_size=5
)


def times(found: list[Range]) -> set[int]:
    return {at for low, high in found for at in range(low, high)}


@given(touched=ranges, chunks=ranges, width=integers(1, 9), settled=integers(0, 90))
def test_windows_are_the_settled_buckets_of_what_was_touched(
    touched: list[Range], chunks: list[Range], width: int, settled: int
) -> None:
    found = windows(touched, chunks, width=width, settled=settled)

    hit = {at // width for at in times(touched) & times(chunks)}
    wanted = {bucket for bucket in hit if (bucket + 1) * width <= settled}
    assert times(found) == {bucket * width + n for bucket in wanted for n in range(width)}
    assert found == merged(found)


@given(ranges)
def test_merged_ranges_are_the_same_times_apart_and_in_order(some: list[Range]) -> None:
    found = merged(some)

    assert times(found) == times(some)
    assert all(left[1] < right[0] for left, right in pairwise(found))


def test_an_aggregate_that_was_never_made_is_made_where_there_are_chunks() -> None:
    found = windows([(-NEVER - 1, NEVER)], [(0, 10), (10, 20), (50, 60)], width=5, settled=57)

    assert found == [(0, 20), (50, 55)]
