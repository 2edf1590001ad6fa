"""Records as columns of a Parquet file, and back; every byte and every time as Kafka has it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import pyarrow as pa

from hadron.envelope import MAGIC

CREATED, APPENDED = 1, 2  # who stamped a record: its producer, or the broker
STAMPED = {CREATED: "create", APPENDED: "append"}
SCHEMA = pa.schema(
    [
        pa.field("offset", pa.int64(), nullable=False),
        pa.field("timestamp_ms", pa.int64(), nullable=False),
        pa.field("timestamp_type", pa.string(), nullable=False),
        pa.field("key", pa.binary()),
        pa.field("value", pa.binary()),
        pa.field("headers", pa.list_(pa.struct({"key": pa.string(), "value": pa.binary()}))),
        pa.field("schema_id", pa.int64()),
        pa.field("sha256", pa.binary(32)),  # of the value; none for a tombstone
    ]
)


class Row(NamedTuple):
    """One record without its place; equal to another when Kafka could not tell them apart."""

    offset: int
    timestamp_ms: int
    timestamp_type: str
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]  # Kafka allows None for the bytes


def row_of(message: Any) -> Row:
    """A message of confluent-kafka."""
    kind, timestamp_ms = message.timestamp()
    return Row(
        message.offset(),
        timestamp_ms,
        STAMPED.get(kind, "none"),
        message.key(),
        message.value(),
        tuple(message.headers() or ()),
    )


def batch_of(rows: Sequence[Row]) -> pa.RecordBatch:
    """Rows as they are written."""
    values = [row.value for row in rows]
    columns = [
        [row.offset for row in rows],
        [row.timestamp_ms for row in rows],
        [row.timestamp_type for row in rows],
        [row.key for row in rows],
        values,
        [[{"key": key, "value": value} for key, value in row.headers] for row in rows],
        [schema_id(value) for value in values],
        [sha256(value) for value in values],
    ]
    arrays = [pa.array(cells, field.type) for cells, field in zip(columns, SCHEMA, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=SCHEMA)


def rows_of(batch: pa.RecordBatch) -> Iterator[Row]:
    """Rows as they were read."""
    names = ("offset", "timestamp_ms", "timestamp_type", "key", "value")
    plain: Iterator[Any] = zip(*(batch.column(name).to_pylist() for name in names), strict=True)
    headers = batch.column("headers")
    if not len(headers.flatten()):  # lists of dicts cost more than all other columns
        yield from (Row._make((*cells, ())) for cells in plain)
        return
    for cells, pairs in zip(plain, headers.to_pylist(), strict=True):
        yield Row._make((*cells, tuple((pair["key"], pair["value"]) for pair in pairs)))


def schema_id(value: bytes | None) -> int | None:
    """The id of the schema that a value says it has; None if it is not in the wire format."""
    if value is None or len(value) < 5 or value[0] != MAGIC:
        return None
    return int.from_bytes(value[1:5])


def sha256(value: bytes | None) -> bytes | None:
    """The hash of a value."""
    return None if value is None else hashlib.sha256(value).digest()
