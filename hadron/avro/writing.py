"""Avro writers of one contract each, built once by fastavro."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from operator import add, attrgetter
from typing import Any

from fastavro import parse_schema
from fastavro._write import write_data  # type: ignore[attr-defined]

from hadron.avro.cells import LONGS, Write, longs, segments
from hadron.avro.longs import groups
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

WriteMany = Callable[[Sequence[Any]], list[bytes]]


def writer(kind: type[Any], schema: Schema, head: bytes) -> Write:
    """Turns facts of a kind into `head` and their Avro."""
    repeated = repeated_fields(schema)
    if repeated:
        return _repeating_writer(kind, schema, repeated, head)
    whole = _record_writer(kind, schema)
    return lambda fact: head + whole(fact)


def many_writer(kind: type[Any], schema: Schema, head: bytes) -> WriteMany | None:
    """Turns facts of a kind into what `writer` makes of each, in less than half of the time.

    None for kinds whose fields after the repeated ones are no longs, or longs and bytes.
    """
    repeated = repeated_fields(schema)
    rests = _rests_writer(schema["fields"][len(repeated) :])
    if not repeated or rests is None:
        return None
    run_of = _run_writer(kind, schema, repeated, head)
    return lambda facts: list(map(add, map(run_of, facts), rests(facts)))


def _repeating_writer(
    kind: type[Any], schema: Schema, repeated: tuple[str, ...], head: bytes
) -> Write:
    run_of = _run_writer(kind, schema, repeated, head)
    rest = _rest_writer(kind, schema, schema["fields"][len(repeated) :])
    return lambda fact: run_of(fact) + rest(fact)


def _run_writer(kind: type[Any], schema: Schema, repeated: tuple[str, ...], head: bytes) -> Write:
    """Encodes the first fields once for each combination of their values.

    A record is its fields one after the other (Avro specification, "Complex Types: Records"), so
    the run of fields with few values can be kept as bytes: a third cheaper for a tick.
    """
    values_of = attrgetter(*repeated)
    first = first_writer(kind, schema)
    known: dict[Any, bytes] = {}

    def run_of(fact: Any) -> bytes:
        values = values_of(fact)
        run = known.get(values)
        if run is None:
            if len(known) >= MOST_RUNS:
                known.clear()
            run = known[values] = head + first(fact)
        return run

    return run_of


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


def _rests_writer(fields: Sequence[Any]) -> WriteMany | None:
    """Encodes the fields after the repeated ones, of many records."""
    if are_longs(fields):
        return _many_longs_writer(fields)
    if are_longs_and_bytes(fields):
        return _many_longs_and_bytes_writer(fields)
    return None


def _many_longs_writer(fields: Sequence[Any]) -> WriteMany:
    width, values_of = len(fields), attrgetter(*(field["name"] for field in fields))
    return lambda facts: groups(chain.from_iterable(map(values_of, facts)), width)


def _many_longs_and_bytes_writer(fields: Sequence[Any]) -> WriteMany:
    *names, last = (field["name"] for field in fields)
    width, values_of, last_of = len(fields), attrgetter(*names), attrgetter(last)

    def write(facts: Sequence[Any]) -> list[bytes]:
        contents = list(map(last_of, facts))
        rows = zip(map(values_of, facts), contents, strict=True)
        heads = groups((n for others, content in rows for n in (*others, len(content))), width)
        return list(map(add, heads, contents))

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
