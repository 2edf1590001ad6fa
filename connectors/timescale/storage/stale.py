"""Which buckets of an aggregate are to be made again: whole ones, of what was touched and is there.

Times are microseconds since 1970, as TimescaleDB counts them; a range is [start, end).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

Range = tuple[int, int]


def windows(
    touched: Iterable[Range], chunks: Iterable[Range], *, width: int, settled: int
) -> list[Range]:
    """What was touched, where there are chunks to make it from, in whole buckets, in order.

    No bucket that ends after `settled`, for more may come into it.
    """
    there = merged(chunks)
    parts = (
        (low // width * width, min(-(-high // width), settled // width) * width)
        for low, high in _common(merged(touched), there)
    )
    return merged(part for part in parts if part[0] < part[1])


def merged(ranges: Iterable[Range]) -> list[Range]:
    """The same times in as few ranges as can be, in order."""
    found: list[Range] = []
    for low, high in sorted(ranges):
        if found and low <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], high)
        else:
            found.append((low, high))
    return found


def _common(left: list[Range], right: list[Range]) -> Iterator[Range]:
    i = j = 0
    while i < len(left) and j < len(right):
        low, high = max(left[i][0], right[j][0]), min(left[i][1], right[j][1])
        if low < high:
            yield low, high
        if left[i][1] < right[j][1]:
            i += 1
        else:
            j += 1
