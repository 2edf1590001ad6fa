"""Avro writers of one contract each, built once by fastavro."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from io import BytesIO
from operator import attrgetter
from typing import Any

from fastavro import parse_schema, schemaless_writer
from fastavro._write import write_data  # type: ignore[attr-defined]

from hadron.avro.shape import MOST_RUNS, Schema, are_longs, part, plain, repeated_fields

LONGS = parse_schema({"type": "array", "items": "long"})

Write = Callable[[Any], bytes]


def writer(kind: type[Any], schema: Schema, head: bytes) -> Write:
    """Turns facts of a kind into `head` and their Avro."""
    repeated = repeated_fields(schema)
    if repeated:
        return _repeating_writer(kind, schema, repeated, head)
    return _plain_writer(kind, parse_schema(dict(schema)), head)


def _plain_writer(kind: type[Any], schema: Any, head: bytes) -> Callable[[Any], bytes]:
    to_plain = plain(kind)

    def write(fact: Any) -> bytes:
        body = BytesIO()
        body.write(head)
        schemaless_writer(body, schema, to_plain(fact))
        return body.getvalue()

    return write


def _repeating_writer(
    kind: type[Any], schema: Schema, repeated: tuple[str, ...], head: bytes
) -> Callable[[Any], bytes]:
    """Encodes the first fields once for each combination of their values.

    A record is its fields one after the other (Avro specification, "Complex Types: Records"), so
    the run of fields with few values can be kept as bytes: a third cheaper for a tick.
    """
    to_plain, values_of = plain(kind), attrgetter(*repeated)
    first = part(schema, schema["fields"][: len(repeated)])
    rest = _rest_writer(kind, schema, schema["fields"][len(repeated) :])
    known: dict[Any, bytes] = {}

    def begin(fact: Any, values: Any) -> bytes:
        if len(known) >= MOST_RUNS:
            known.clear()
        body = BytesIO()
        body.write(head)
        schemaless_writer(body, first, to_plain(fact))
        run = known[values] = body.getvalue()
        return run

    def write(fact: Any) -> bytes:
        values = values_of(fact)
        return (known.get(values) or begin(fact, values)) + rest(fact)

    return write


def _rest_writer(kind: type[Any], schema: Schema, fields: Sequence[Any]) -> Callable[[Any], bytes]:
    """Encodes the fields after the repeated ones, by what schemaless_writer calls.

    It would parse the schema again for each record.
    """
    if are_longs(fields):
        values_of = attrgetter(*(field["name"] for field in fields))

        def write_longs(fact: Any) -> bytes:
            record = bytearray()
            write_data(record, values_of(fact), LONGS, {}, "", {})
            return bytes(record[1:-1])  # an array is its count, its items, and a count of 0

        return write_longs

    to_plain, rest = plain(kind), part(schema, fields)
    names: dict[str, Any] = {}
    parse_schema(rest, names)

    def write(fact: Any) -> bytes:
        record = bytearray()
        write_data(record, to_plain(fact), rest, names, "", {})
        return bytes(record)

    return write
