"""The wire format: byte 0, a 4-byte schema id, Avro (Confluent, "Wire format")."""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from io import BytesIO
from itertools import groupby, takewhile
from operator import attrgetter, itemgetter
from typing import Any

import msgspec
from fastavro import parse_schema, schemaless_reader, schemaless_writer

from hadron.contracts import CLASS_OF, contract_name
from hadron.errors import ContractError
from hadron.values import number, parts

MAGIC = 0
MOST_RUNS = 65_536


class Version(typing.NamedTuple):
    """One version of a contract as the wire knows it."""

    id: int
    name: str
    schema: Mapping[str, Any]


class AvroCodec:
    """Writes the newest version of each contract and reads them all.

    `versions` are in order of age. `unknown` is asked for an id that is none of them (a registry).
    """

    def __init__(
        self,
        versions: Iterable[Version],
        unknown: Callable[[int], Version] | None = None,
    ) -> None:
        self._unknown = unknown
        self._newest: dict[str, Any] = {}
        self._writers: dict[type[Any], Callable[[Any], bytes]] = {}
        self._readers: dict[int, Callable[[BytesIO], Any]] = {}
        self._batch_readers: dict[bytes, Callable[[BytesIO], list[Any]]] = {}
        known = list(versions)
        for version in known:
            self._newest[version.name] = parse_schema(dict(version.schema))
        for version in known:
            self._add_reader(version)
            self._writers[CLASS_OF[version.name]] = self._writer(version)

    def encode(self, fact: Any) -> bytes:
        """Raise ContractError if the fact does not fit its contract."""
        try:
            return self._writers[type(fact)](fact)
        except (KeyError, ValueError, TypeError, OverflowError) as error:
            raise ContractError(f"cannot encode {type(fact).__name__}: {error}") from error

    def decode(self, value: bytes) -> Any:
        """Raise ContractError if the bytes fit no known contract."""
        if len(value) < 5 or value[0] != MAGIC:
            raise ContractError("not in the wire format: no byte 0 and schema id", record=value)
        schema_id = int.from_bytes(value[1:5])
        read = self._readers.get(schema_id) or self._learned(schema_id, value)
        body = BytesIO(value)
        body.seek(5)
        try:
            fact = read(body)
        except ContractError:
            raise
        except Exception as error:  # fastavro raises whatever its bytes led it to
            kind = type(error).__name__
            raise ContractError(f"not Avro of schema {schema_id}: {kind}", record=value) from error
        if body.read(1):
            raise ContractError(f"bytes follow the record of schema {schema_id}", record=value)
        return fact

    def decode_many(self, values: Sequence[bytes]) -> list[Any]:
        """Decode values in order, those next to each other with one schema in one call.

        A third cheaper than one by one. Raise ContractError if any of them fits no known contract.
        """
        facts: list[Any] = []
        for head, run in groupby(values, key=itemgetter(slice(5))):
            read = self._batch_readers.get(head)
            if read is None:
                facts += [self.decode(value) for value in run]
            else:
                facts += self._read_run(read, [value[5:] for value in run])
        return facts

    def _read_run(self, read: Callable[[BytesIO], list[Any]], bodies: list[bytes]) -> list[Any]:
        # An Avro array is a count, the items, and a count of 0: bodies in a row are such an array.
        run = BytesIO(b"".join([_count(len(bodies)), *bodies, b"\0"]))
        try:
            facts = read(run)
        except Exception as error:
            kind = type(error).__name__
            raise ContractError(f"not Avro of their schema: {kind}", record=bodies[0]) from error
        if run.read(1) or len(facts) != len(bodies):
            raise ContractError("records run into each other", record=bodies[0])
        return facts

    def _learned(self, schema_id: int, value: bytes) -> Callable[[BytesIO], Any]:
        if self._unknown is None:
            raise ContractError(f"unknown schema id {schema_id}", record=value)
        self._add_reader(self._unknown(schema_id))
        return self._readers[schema_id]

    def _add_reader(self, version: Version) -> None:
        newest = self._newest[version.name]
        written = parse_schema(dict(version.schema))
        kind = CLASS_OF[version.name]
        same = written == newest
        self._readers[version.id] = _reader(kind, written, None if same else newest)
        if same and not _exact_fields(kind):
            self._batch_readers[_head(version.id)] = _batch_reader(kind, version.schema)

    def _writer(self, version: Version) -> Callable[[Any], bytes]:
        schema, head = self._newest[version.name], _head(version.id)
        kind = CLASS_OF[version.name]
        repeated = _repeated_fields(version.schema)
        return (
            _repeating_writer(kind, version.schema, repeated, head)
            if repeated
            else _writer(kind, schema, head)
        )


def _writer(kind: type[Any], schema: Any, head: bytes) -> Callable[[Any], bytes]:
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
    rest = _part(schema, schema["fields"][len(repeated) :])
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
        body = BytesIO()
        body.write(known.get(values) or begin(fact, values))
        schemaless_writer(body, rest, plain(fact))
        return body.getvalue()

    return write


def _repeated_fields(schema: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(field["name"] for field in takewhile(lambda f: f.get("repeats"), schema["fields"]))


def _part(schema: Mapping[str, Any], fields: list[Any]) -> Any:
    return parse_schema({"type": "record", "name": schema["name"], "fields": fields})


def _reader(kind: type[Any], written: Any, wanted: Any) -> Callable[[BytesIO], Any]:
    exact = _exact_fields(kind)
    nested = not exact and _has_nested(kind)

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


def _batch_reader(kind: type[Any], schema: Mapping[str, Any]) -> Callable[[BytesIO], list[Any]]:
    array = parse_schema({"type": "array", "items": dict(schema)})
    wanted = list[kind]  # type: ignore[valid-type]

    def read(body: BytesIO) -> list[Any]:
        return msgspec.convert(schemaless_reader(body, array, None), wanted)

    return read


def _head(schema_id: int) -> bytes:
    return bytes([MAGIC]) + schema_id.to_bytes(4)


def _count(items: int) -> bytes:
    """A long as Avro writes it: zigzag, seven bits a byte (specification, "Binary Encoding")."""
    left, out = items << 1, bytearray()
    while left > 127:
        out.append(left & 127 | 128)
        left >>= 7
    out.append(left)
    return bytes(out)


def _plain(kind: type[Any]) -> Callable[[Any], dict[str, Any]]:
    exact = _exact_fields(kind)

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

    return with_exact if exact else with_nested if _has_nested(kind) else msgspec.structs.asdict


def _exact_fields(kind: type[Any]) -> tuple[str, ...]:
    hints = typing.get_type_hints(kind)
    return tuple(name for name, hint in hints.items() if Decimal in _alternatives(hint))


def _has_nested(kind: type[Any]) -> bool:
    return any(
        isinstance(argument, type) and issubclass(argument, msgspec.Struct)
        for hint in typing.get_type_hints(kind).values()
        for argument in typing.get_args(hint)
    ) or any(typing.get_origin(hint) is tuple for hint in typing.get_type_hints(kind).values())


def _alternatives(hint: Any) -> tuple[Any, ...]:
    union = typing.get_origin(hint) in (typing.Union, types.UnionType)
    return typing.get_args(hint) if union else (hint,)


def wire_name(fact: Any) -> str:
    """The contract that a fact is written with."""
    return contract_name(type(fact))
