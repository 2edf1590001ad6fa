"""Offsets without a record, and what stands in for one: a restored log must count as the old did.

A record's offset is part of the name of all that follows from it, and Kafka gives out offsets one
by one. So an offset that compaction emptied is filled with a tombstone of a key of our own: every
reader of a compacted topic passes tombstones over, and the next compaction takes them away.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from connectors.parquet.columns import Row
from connectors.parquet.manifest import Day, Range
from hadron.topics import FILLER


def is_filler(row: Row) -> bool:
    """A restored log has it where the log before had nothing."""
    return row.value is None and row.key == FILLER


def hole_behind(days: Iterable[Day], within: Range) -> int | None:
    """An offset without a record behind the first record of a partition, if there is one.

    Of a file that has some, the first offset of that file.
    """
    expected = None
    for day in days:
        if expected is not None and day.first != expected:
            return expected
        if day.records != day.last - day.first + 1:
            return day.first
        expected = day.last + 1
    return expected if expected is not None and expected != within.end else None


def first_kept(days: Sequence[Day], within: Range) -> int:
    """The offset that a partition of which nothing is compacted starts with."""
    return days[0].first if days else within.end


def gaps(rows: Iterable[Row], start: int, end: int) -> Iterator[tuple[Row | None, int]]:
    """Each row with the number of empty offsets before it; None at the end."""
    expected = start
    for row in rows:
        yield row, row.offset - expected
        expected = row.offset + 1
    yield None, end - expected
