"""Avro readers and writers of one contract each, built once by fastavro."""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from io import BytesIO
from itertools import takewhile
from operator import attrgetter
from typing import Any

import msgspec
from fastavro import parse_schema, schemaless_reader, schemaless_writer
from fastavro._write import write_data  # type: ignore[attr-defined]

from hadron.errors import ContractError
from hadron.values import number, parts

MOST_RUNS = 65_536
LONGS = parse_schema({"type": "array", "items": "long"})
BEGINNING = 16  # bytes of a record by which runs that may fit it are found

Schema = Mapping[str, Any]
Write = Callable[[Any], bytes]
ReadMany = Callable[[Sequence[bytes]], list[Any]]


def writer(kind: type[Any], schema: Schema, head: bytes) -> Write:
    """Turns facts of a kind into `head` and their Avro."""
    repeated = _repeated_fields(schema)
    if repeated:
        return _repeating_writer(kind, schema, repeated, head)
    return _plain_writer(kind, parse_schema(dict(schema)), head)


def _plain_writer(kind: type[Any], schema: Any, head: bytes) -> Callable[[Any], bytes]:
    plain = _plain(kind)

    def write(fact: Any) -> bytes:
        body = BytesIO()
        body.write(head)
        schemaless_writer(body, schema, plain(fact))
        return body.getvalue()

    return write


def _repeating_writer(
    kind: type[Any], schema: Mapping[str, Any], repeated: tuple[str, ...], head: bytes
) -> Callable[[Any], bytes]:
    """Encodes the first fields once for each combination of their values.

    A record is its fields one after the other (Avro specification, "Complex Types: Records"), so
    the run of fields with few values can be kept as bytes: a third cheaper for a tick.
    """
    plain, values_of = _plain(kind), attrgetter(*repeated)
    first = _part(schema, schema["fields"][: len(repeated)])
    rest = _rest_writer(kind, schema, schema["fields"][len(repeated) :])
    known: dict[Any, bytes] = {}

    def begin(fact: Any, values: Any) -> bytes:
        if len(known) >= MOST_RUNS:
            known.clear()
        body = BytesIO()
        body.write(head)
        schemaless_writer(body, first, plain(fact))
        run = known[values] = body.getvalue()
        return run

    def write(fact: Any) -> bytes:
        values = values_of(fact)
        return (known.get(values) or begin(fact, values)) + rest(fact)

    return write


def _rest_writer(
    kind: type[Any], schema: Mapping[str, Any], fields: Sequence[Any]
) -> Callable[[Any], bytes]:
    """Encodes the fields after the repeated ones, by what schemaless_writer calls.

    It would parse the schema again for each record.
    """
    if _are_longs(fields):
        values_of = attrgetter(*(field["name"] for field in fields))

        def write_longs(fact: Any) -> bytes:
            record = bytearray()
            write_data(record, values_of(fact), LONGS, {}, "", {})
            return bytes(record[1:-1])  # an array is its count, its items, and a count of 0

        return write_longs

    plain, rest = _plain(kind), _part(schema, list(fields))
    names: dict[str, Any] = {}
    parse_schema(rest, names)

    def write(fact: Any) -> bytes:
        record = bytearray()
        write_data(record, plain(fact), rest, names, "", {})
        return bytes(record)

    return write


def _are_longs(fields: Sequence[Any]) -> bool:
    """Whether they are written like the items of a short array of longs, which is a third cheaper.

    Two to 63: attrgetter gives a tuple, and the count takes one byte.
    """
    return 2 <= len(fields) < 64 and all(field["type"] == "long" for field in fields)


def _repeated_fields(schema: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(field["name"] for field in takewhile(lambda f: f.get("repeats"), schema["fields"]))


def _part(schema: Mapping[str, Any], fields: list[Any]) -> Any:
    return parse_schema({"type": "record", "name": schema["name"], "fields": fields})


class _Runs:
    """Finds which known run of repeated fields a record begins with.

    Avro is self-delimiting: a record begins with the bytes of one combination of values at most.
    """

    def __init__(self, kind: type[Any], schema: Schema, repeated: tuple[str, ...]) -> None:
        self._whole = reader(kind, parse_schema(dict(schema)), None)
        self._first = _part(schema, schema["fields"][: len(repeated)])
        self._plain, self._values_of = _plain(kind), attrgetter(*repeated)
        self._known: dict[bytes, list[tuple[bytes, tuple[Any, ...]]]] = {}
        self._count = 0

    def of(self, body: bytes) -> tuple[bytes, tuple[Any, ...]]:
        """The run's bytes and values. Raise ContractError where another encoder wrote them."""
        for run in self._known.get(body[:BEGINNING], ()):
            if body.startswith(run[0]):
                return run
        return self._learned(body)

    def _learned(self, body: bytes) -> tuple[bytes, tuple[Any, ...]]:
        fact = self._whole(BytesIO(body))
        written = BytesIO()
        schemaless_writer(written, self._first, self._plain(fact))
        run = (written.getvalue(), self._values_of(fact))
        if not body.startswith(run[0]):
            raise ContractError("its first fields are not written as we write them", record=body)
        if self._count >= MOST_RUNS:
            self._known.clear()
            self._count = 0
        self._count += 1
        self._known.setdefault(body[:BEGINNING], []).append(run)
        return run


def many_reader(kind: type[Any], schema: Schema) -> ReadMany:
    """Turns bodies of a kind into facts, all in one call of fastavro: a third to a half cheaper.

    It raises whatever the bytes lead it to.
    """
    repeated = _repeated_fields(schema)
    if not repeated:
        wanted = list[kind]  # type: ignore[valid-type]
        whole = _array_reader(dict(schema))
        return lambda bodies: msgspec.convert(whole(bodies), wanted)
    runs = _Runs(kind, schema, repeated)
    rests_of = _rests_reader(schema, schema["fields"][len(repeated) :])

    def read(bodies: Sequence[bytes]) -> list[Any]:
        found = [runs.of(body) for body in bodies]
        rests = [body[len(run) :] for body, (run, _) in zip(bodies, found, strict=True)]
        fields = rests_of(rests)
        return [kind(*values, *rest) for (_, values), rest in zip(found, fields, strict=True)]

    return read


def _rests_reader(
    schema: Schema, fields: Sequence[Any]
) -> Callable[[Sequence[bytes]], Iterable[Iterable[Any]]]:
    """Reads the values of the fields after the repeated ones, of many records."""
    if _are_longs(fields):
        width = len(fields)
        longs_of = _array_reader("long", width)
        return lambda bodies: zip(*[iter(longs_of(bodies))] * width, strict=True)
    records_of = _array_reader(_part(schema, list(fields)))
    return lambda bodies: [record.values() for record in records_of(bodies)]


def _array_reader(schema: Any, width: int = 1) -> Callable[[Sequence[bytes]], list[Any]]:
    """Reads `width` items from each body."""
    # An Avro array is a count, the items, and a count of 0: bodies in a row are such an array.
    array = parse_schema({"type": "array", "items": schema})

    def read(bodies: Sequence[bytes]) -> list[Any]:
        count = width * len(bodies)
        run = BytesIO(b"".join([_count(count), *bodies, b"\0"]))
        items: list[Any] = schemaless_reader(run, array, None)  # type: ignore[assignment]
        if run.read(1) or len(items) != count:
            raise ContractError("records run into each other", record=bodies[0])
        return items

    return read


def reader(kind: type[Any], written: Any, wanted: Any) -> Callable[[BytesIO], Any]:
    """Turns one body into a fact; `wanted` is the newest schema where another wrote it."""
    exact = exact_fields(kind)
    nested = not exact and (_has_structs(kind) or _has_tuples(kind))

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


def _count(items: int) -> bytes:
    """A long as Avro writes it: zigzag, seven bits a byte (specification, "Binary Encoding")."""
    left, out = items << 1, bytearray()
    while left > 127:
        out.append(left & 127 | 128)
        left >>= 7
    out.append(left)
    return bytes(out)


def _plain(kind: type[Any]) -> Callable[[Any], dict[str, Any]]:
    exact = exact_fields(kind)

    def with_exact(fact: Any) -> dict[str, Any]:
        fields = msgspec.structs.asdict(fact)
        for name in exact:
            if fields[name] is not None:
                mantissa, scale = parts(fields[name])
                fields[name] = {"mantissa": mantissa, "scale": scale}
        return fields

    def with_nested(fact: Any) -> dict[str, Any]:
        fields: dict[str, Any] = msgspec.to_builtins(fact, builtin_types=(bytes,))
        return fields

    return with_exact if exact else with_nested if _has_structs(kind) else msgspec.structs.asdict


def exact_fields(kind: type[Any]) -> tuple[str, ...]:
    """The fields that are Decimals."""
    hints = typing.get_type_hints(kind)
    return tuple(name for name, hint in hints.items() if Decimal in _alternatives(hint))


def _has_structs(kind: type[Any]) -> bool:
    return any(
        isinstance(argument, type) and issubclass(argument, msgspec.Struct)
        for hint in typing.get_type_hints(kind).values()
        for argument in typing.get_args(hint)
    )


def _has_tuples(kind: type[Any]) -> bool:
    return any(typing.get_origin(hint) is tuple for hint in typing.get_type_hints(kind).values())


def _alternatives(hint: Any) -> tuple[Any, ...]:
    union = typing.get_origin(hint) in (typing.Union, types.UnionType)
    return typing.get_args(hint) if union else (hint,)
