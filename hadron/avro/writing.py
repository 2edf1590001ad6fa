"""Avro writers of one contract each, built once by fastavro."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any

from fastavro import parse_schema
from fastavro._write import write_data  # type: ignore[attr-defined]

from hadron.avro.cells import LONGS, Write, longs, segments
from hadron.avro.longs import together
from hadron.avro.shape import (
    MOST_RUNS,
    Schema,
    are_longs,
    are_longs_and_bytes,
    has_structs,
    part,
    plain,
    repeated_fields,
)


def writer(kind: type[Any], schema: Schema, head: bytes) -> Write:
    """Turns facts of a kind into `head` and their Avro."""
    repeated = repeated_fields(schema)
    if repeated:
        return _repeating_writer(kind, schema, repeated, head)
    whole = _record_writer(kind, schema)
    return lambda fact: head + whole(fact)


def _repeating_writer(
    kind: type[Any], schema: Schema, repeated: tuple[str, ...], head: bytes
) -> Callable[[Any], bytes]:
    """Encodes the first fields once for each combination of their values.

    A record is its fields one after the other (Avro specification, "Complex Types: Records"), so
    the run of fields with few values can be kept as bytes: a third cheaper for a tick.
    """
    values_of = attrgetter(*repeated)
    first = first_writer(kind, schema)
    rest = _rest_writer(kind, schema, schema["fields"][len(repeated) :])
    known: dict[Any, bytes] = {}

    def begin(fact: Any, values: Any) -> bytes:
        if len(known) >= MOST_RUNS:
            known.clear()
        run = known[values] = head + first(fact)
        return run

    def write(fact: Any) -> bytes:
        values = values_of(fact)
        return (known.get(values) or begin(fact, values)) + rest(fact)

    return write


def first_writer(kind: type[Any], schema: Schema) -> Write:
    """Encodes the repeated fields, with which a record begins."""
    return _record_writer(kind, part(schema, schema["fields"][: len(repeated_fields(schema))]))


def _rest_writer(kind: type[Any], schema: Schema, fields: Sequence[Any]) -> Write:
    """Encodes the fields after the repeated ones."""
    if are_longs(fields):
        return _longs_writer(fields)
    if are_longs_and_bytes(fields):
        return _longs_and_bytes_writer(fields)
    return _record_writer(kind, part(schema, fields))


def _longs_writer(fields: Sequence[Any]) -> Write:
    values_of = attrgetter(*(field["name"] for field in fields))

    def write(fact: Any) -> bytes:
        # As `longs` does it: ticks come here, and a call more is felt.
        record = bytearray()
        write_data(record, values_of(fact), LONGS, {}, "", {})
        return bytes(record[1:-1])

    return write


def _longs_and_bytes_writer(fields: Sequence[Any]) -> Write:
    values_of = attrgetter(*(field["name"] for field in fields))

    def write(fact: Any) -> bytes:
        last: bytes
        *others, last = values_of(fact)
        # Bytes are their length, a long, and themselves.
        return longs([*others, len(last)]) + last

    return write


def _record_writer(kind: type[Any], schema: Schema) -> Write:
    names: dict[str, Any] = {}
    parsed: Any = parse_schema(dict(schema), names)
    fields = [field["name"] for field in parsed["fields"]]
    own = len(fields) > 1 and set(fields) <= set(kind.__struct_fields__)
    if not own or has_structs(kind):
        return _walking_writer(kind, parsed, names)
    values_of, writers = attrgetter(*fields), segments(parsed["fields"], names)

    def write(fact: Any) -> bytes:
        values = values_of(fact)
        return b"".join([put(values[place]) for place, put in writers])

    return write


def _walking_writer(kind: type[Any], parsed: Any, names: dict[str, Any]) -> Write:
    """Encodes by what schemaless_writer calls: it would parse the schema for each record."""
    to_plain = plain(kind)

    def write(fact: Any) -> bytes:
        record = bytearray()
        write_data(record, to_plain(fact), parsed, names, "", {})
        return bytes(record)

    return write


def longs_of_many(values: Sequence[int], width: int) -> list[bytes]:
    """Longs as Avro writes them, `width` of them together: a third of the time of one by one."""
    written = bytearray()
    write_data(written, values, LONGS, {}, "", {})
    # Before them stands their count, which is a long too, and after them a count of 0.
    body = bytes(written[len(together(1).match(written)[0]) : -1])  # type: ignore[index]
    return together(width).findall(body)
