"""What an import makes of offsets that have no record."""

from __future__ import annotations

from connectors.parquet.columns import Row
from connectors.parquet.holes import first_kept, gaps, hole_behind, is_filler
from connectors.parquet.manifest import Day, Range
from hadron.topics import FILLER


def a_row(offset: int, key: bytes = b"k", value: bytes | None = b"v") -> Row:
    return Row(offset, 1, "create", key, value, ())


def a_day(first: int, last: int, records: int) -> Day:
    return Day("t", 0, "2023-12-09", "t/0/x.parquet", first, last, records, 1, 1, 1, "")


def test_each_record_comes_with_the_offsets_that_are_empty_before_it() -> None:
    rows = [a_row(2), a_row(3), a_row(7)]

    found = [(row.offset if row else None, empty) for row, empty in gaps(rows, 0, 9)]

    assert found == [(2, 2), (3, 0), (7, 3), (None, 1)]


def test_holes_are_seen_within_files_between_them_and_at_the_end() -> None:
    assert hole_behind([a_day(3, 5, 3), a_day(6, 6, 1)], Range(0, 7)) is None
    assert hole_behind([a_day(3, 5, 2)], Range(3, 6)) == 3
    assert hole_behind([a_day(3, 5, 3), a_day(7, 7, 1)], Range(3, 8)) == 6
    assert hole_behind([a_day(3, 5, 3)], Range(3, 7)) == 6
    assert hole_behind([], Range(3, 7)) is None


def test_a_partition_without_records_starts_where_it_ends() -> None:
    assert first_kept([], Range(3, 7)) == 7
    assert first_kept([a_day(5, 6, 2)], Range(3, 7)) == 5


def test_only_a_tombstone_of_our_own_key_stands_in() -> None:
    assert is_filler(a_row(1, FILLER, None))
    assert not is_filler(a_row(1, FILLER, b""))
    assert not is_filler(a_row(1, b"other", None))
