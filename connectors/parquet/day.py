"""One day of one partition in one file, which appears when it is whole."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from connectors.parquet.columns import SCHEMA, Row, batch_of, rows_of
from connectors.parquet.manifest import Day, appear, digest
from hadron.errors import HadronError

DAY_MS = 86_400_000
METADATA = ("topic", "partition", "first", "last", "records")
_GROUP_ROWS = 50_000
_GROUP_BYTES = 64 << 20
_READ_ROWS = 5_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class DayFile:
    """Takes rows in the order of their offsets, beside its place until it is finished."""

    def __init__(self, directory: Path, topic: str, partition: int, day: int) -> None:
        """`day` counts from 1970-01-01, UTC."""
        self.day = day
        self._directory, self._topic, self._partition = directory, topic, partition
        self._folder = directory / topic / str(partition)
        self._folder.mkdir(parents=True, exist_ok=True)
        self._written = self._folder / f".{name_of(day)}.writing"
        self._writer = pq.ParquetWriter(self._written, SCHEMA, compression="zstd")
        self._waiting: list[Row] = []
        self._waiting_bytes = self._records = 0
        self.schema_ids: set[int] = set()
        self._first = self._last = self._earliest_ms = self._latest_ms = -1

    def take_over(self, day: Day) -> None:
        """Begin with what an earlier file of this day has."""
        self._first, self._last, self._records = day.first, day.last, day.records
        self._earliest_ms, self._latest_ms = day.earliest_ms, day.latest_ms
        for batch in batches(self._directory / day.path):
            self._writer.write_batch(batch)

    def add(self, row: Row) -> None:
        """Append a row."""
        if not self._records:
            self._first, self._earliest_ms = row.offset, row.timestamp_ms
        self._last = row.offset
        self._earliest_ms = min(self._earliest_ms, row.timestamp_ms)
        self._latest_ms = max(self._latest_ms, row.timestamp_ms)
        self._records += 1
        self._waiting.append(row)
        self._waiting_bytes += len(row.value or b"")
        if len(self._waiting) >= _GROUP_ROWS or self._waiting_bytes >= _GROUP_BYTES:
            self._write()

    def finish(self) -> Day:
        """Make the file appear, and tell what is in it."""
        self._write()
        known = (self._topic, self._partition, self._first, self._last, self._records)
        self._writer.add_key_value_metadata(
            {f"hadron.{name}": str(value) for name, value in zip(METADATA, known, strict=True)}
        )
        self._writer.close()
        # Its offsets are in its name: a day that grows never takes the place of its earlier file.
        path = self._folder / f"{name_of(self.day)}_{self._first}-{self._last}.parquet"
        appear(self._written, path)
        return Day(
            topic=self._topic,
            partition=self._partition,
            day=name_of(self.day),
            path=path.relative_to(self._directory).as_posix(),
            first=self._first,
            last=self._last,
            records=self._records,
            earliest_ms=self._earliest_ms,
            latest_ms=self._latest_ms,
            bytes=path.stat().st_size,
            sha256=digest(path),
        )

    def give_up(self) -> None:
        """Leave nothing behind."""
        self._writer.close()
        self._written.unlink(missing_ok=True)

    def _write(self) -> None:
        if self._waiting:
            batch = batch_of(self._waiting)
            self._writer.write_batch(batch)
            self.schema_ids.update(batch.column("schema_id").drop_null().unique().to_pylist())
        self._waiting, self._waiting_bytes = [], 0


def batches(path: Path) -> Iterator[pa.RecordBatch]:
    """The columns of a file, some thousand rows at a time. Raise HadronError if it is none."""
    try:
        with pq.ParquetFile(path) as file:
            if not file.schema_arrow.equals(SCHEMA):
                raise HadronError(f"{path} has other columns than an export")
            yield from file.iter_batches(_READ_ROWS)
    except (pa.ArrowException, OSError) as error:
        raise HadronError(f"{path} cannot be read: {error}") from error


def rows(path: Path) -> Iterator[Row]:
    """The records of a file, in order."""
    for batch in batches(path):
        yield from rows_of(batch)


def offsets(path: Path) -> Iterator[int]:
    """The offsets of a file, in order, without its records."""
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(_GROUP_ROWS, columns=["offset"]):
                yield from batch.column("offset").to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise HadronError(f"{path} cannot be read: {error}") from error


def last_row(path: Path) -> Row:
    """The last record of a file."""
    with pq.ParquetFile(path) as file:
        [group] = file.read_row_group(file.num_row_groups - 1).to_batches()[-1:]
    [row] = rows_of(group.slice(group.num_rows - 1))
    return row


def metadata(path: Path) -> dict[str, str]:
    """What a file says of itself."""
    try:
        found = pq.read_metadata(path).metadata or {}
    except (pa.ArrowException, OSError) as error:
        raise HadronError(f"{path} cannot be read: {error}") from error
    return {name: found.get(f"hadron.{name}".encode(), b"").decode() for name in METADATA}


def name_of(day: int) -> str:
    """A day as 2026-11-21."""
    return (_EPOCH + timedelta(days=day)).date().isoformat()


def number_of(day: str) -> int:
    """A day as days since 1970-01-01."""
    return (datetime.fromisoformat(day).replace(tzinfo=UTC) - _EPOCH).days
