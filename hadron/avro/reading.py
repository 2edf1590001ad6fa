"""Avro readers of one contract each, built once by fastavro."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from io import BytesIO
from itertools import starmap
from operator import add, attrgetter
from typing import Any

import msgspec
from fastavro import parse_schema, schemaless_reader

from hadron.audit.names import Name
from hadron.avro.longs import LAST, MORE, longs, together
from hadron.avro.runs import Runs
from hadron.avro.shape import (
    Schema,
    are_longs,
    are_longs_and_bytes,
    exact_fields,
    has_structs,
    has_tuples,
    part,
    repeated_fields,
)
from hadron.avro.writing import first_writer
from hadron.errors import ContractError
from hadron.values import number

NAME = Name.__struct_fields__

ReadMany = Callable[[Sequence[bytes]], list[Any]]


def reader(kind: type[Any], written: Any, wanted: Any) -> Callable[[BytesIO], Any]:
    """Turns one body into a fact; `wanted` is the newest schema where another wrote it."""
    exact = exact_fields(kind)
    nested = not exact and (has_structs(kind) or has_tuples(kind))

    def read(body: BytesIO) -> Any:
        return kind(**schemaless_reader(body, written, wanted))  # type: ignore[arg-type]

    def read_exact(body: BytesIO) -> Any:
        fields: dict[str, Any] = schemaless_reader(body, written, wanted)  # type: ignore[assignment]
        for name in exact:
            value = fields[name]
            if value is not None:
                fields[name] = number(value["mantissa"], value["scale"])
        return kind(**fields)

    def read_nested(body: BytesIO) -> Any:
        return msgspec.convert(schemaless_reader(body, written, wanted), kind)

    return read_exact if exact else read_nested if nested else read


def many_reader(kind: type[Any], schema: Schema) -> ReadMany | None:
    """Turns bodies of a kind into facts, cheaper than one by one; None where it would not be.

    It raises whatever the bytes lead it to, and ContractError where one body is too short or long.
    """
    repeated = repeated_fields(schema)
    rests_of = _rests_reader(schema["fields"][len(repeated) :])
    if not repeated or rests_of is None:
        return None
    runs = Runs(_learner(kind, schema, repeated))

    def read(bodies: Sequence[bytes]) -> list[Any]:
        values, rests = runs.split(bodies)
        return list(starmap(kind, map(add, values, rests_of(rests))))

    return read


def name_reader(schema: Schema) -> Callable[[BytesIO], Name] | None:
    """Reads the name with which a body begins; None where it does not begin with one."""
    first = schema["fields"][: len(NAME)]
    if tuple(field["name"] for field in first) != NAME:
        return None
    named = part(schema, first)
    return lambda body: Name(**schemaless_reader(body, named, None))  # type: ignore[arg-type]


def _learner(
    kind: type[Any], schema: Schema, repeated: tuple[str, ...]
) -> Callable[[bytes], tuple[bytes, tuple[Any, ...]]]:
    """What finds out the run of a body, and the values in it."""
    whole = reader(kind, parse_schema(dict(schema)), None)
    first, values_of = first_writer(kind, schema), attrgetter(*repeated)

    def learn(body: bytes) -> tuple[bytes, tuple[Any, ...]]:
        fact = whole(BytesIO(body))
        return first(fact), values_of(fact)

    return learn


ReadRests = Callable[[Sequence[bytes]], Iterable[tuple[Any, ...]]]


def _rests_reader(fields: Sequence[Any]) -> ReadRests | None:
    """Reads the values of the fields after the repeated ones, of many records."""
    if are_longs(fields):
        return partial(_longs_of, width=len(fields))
    if are_longs_and_bytes(fields):
        return partial(_longs_and_bytes_of, begun=together(len(fields)), width=len(fields))
    return None


def _longs_of(rests: Sequence[bytes], *, width: int) -> Iterable[tuple[int, ...]]:
    # All that was joined has as many numbers, also where one record lacks what another has.
    counts = {len(rest.translate(None, MORE)) for rest in rests}
    if counts != {width} or max([rest[-1] for rest in rests]) > LAST:
        raise ContractError("not as many numbers as its contract has", record=rests[0])
    items = iter(longs(b"".join(rests), width * len(rests)))
    return zip(*[items] * width, strict=True)


def _longs_and_bytes_of(
    rests: Sequence[bytes], *, begun: re.Pattern[bytes], width: int
) -> Iterable[tuple[Any, ...]]:
    heads = [match[0] if (match := begun.match(rest)) else b"" for rest in rests]
    items = iter(longs(b"".join(heads), width * len(rests)))
    for rest, head, numbers in zip(rests, heads, zip(*[items] * width, strict=True), strict=True):
        content = rest[len(head) :]
        # The last number is how many bytes follow.
        if len(content) != numbers[-1]:
            raise ContractError("not as many bytes as it says", record=rest)
        yield *numbers[:-1], content
