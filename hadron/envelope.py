"""The wire format: byte 0, a 4-byte schema id, Avro (Confluent, "Wire format")."""

from __future__ import annotations

import typing
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from functools import lru_cache
from hashlib import sha256
from io import BytesIO
from typing import Any, TypeVar

from fastavro import parse_schema
from fastavro.schema import to_parsing_canonical_form

from hadron import avro
from hadron.audit.names import Name, name_of
from hadron.contracts import CLASS_OF
from hadron.errors import ContractError
from hadron.ports import Split

K = TypeVar("K")
T = TypeVar("T")

MAGIC = 0
HEAD = 5  # bytes before the Avro
FEW = 3  # below it, records are written as fast one by one
MOST_KNOWN = 1024  # records that are known again: one that is on every partition comes from each


class Version(typing.NamedTuple):
    """One version of a contract as the wire knows it."""

    id: int
    name: str
    schema: Mapping[str, Any]


class AvroCodec:
    """Writes the newest version of each contract and reads them all.

    `versions` are all there ever were, in order of age, by which they are numbered. `unknown` is
    asked for an id that is none of them (a registry).
    """

    def __init__(
        self,
        versions: Iterable[Version],
        unknown: Callable[[int], Version] | None = None,
    ) -> None:
        self._unknown = unknown
        self._versions = avro.Versions()
        self._numbers: dict[int, int | None] = {}
        self._readers: dict[int, Callable[[BytesIO], Any]] = {}
        self._name_readers: dict[int, Callable[[BytesIO], Name]] = {}
        self._schemas: dict[int, Mapping[str, Any]] = {}
        self._fingerprints: dict[int, bytes] = {}
        self._many_readers: dict[bytes, avro.ReadMany] = {}
        self._many_writers: dict[type[Any], avro.WriteMany] = {}
        self._contracts: dict[type[Any], tuple[bytes, Mapping[str, Any]]] = {}
        self._decode_again = lru_cache(MOST_KNOWN)(self.decode)
        known = list(versions)
        for version in known:
            kind, head = CLASS_OF[version.name], _head(version.id)
            self._versions.add(kind, version.schema, head)
            self._contracts[kind] = (head, version.schema)
        self._writers = self._versions.writers()
        for version in known:
            self._add_reader(version)
        for kind, (head, schema) in self._contracts.items():
            if (many := avro.many_writer(kind, schema, head)) is not None:
                self._many_writers[kind] = many

    def encode(self, fact: Any) -> bytes:
        """Raise ContractError if the fact does not fit its contract."""
        try:
            return self._writers[type(fact)](fact)
        except avro.UNFIT as error:
            raise ContractError(f"cannot encode {type(fact).__name__}: {error}") from error

    def encode_many(self, facts: Sequence[Any]) -> list[bytes]:
        """Encode facts in order, ticks and raw events of a kind at once.

        These cost less than half of one by one. Raise ContractError if one does not fit.
        """
        return _by_key([type(fact) for fact in facts], facts, self._encoded)

    def _encoded(self, kind: type[Any], facts: Sequence[Any]) -> list[bytes]:
        write = self._many_writers.get(kind) if len(facts) >= FEW else None
        if write is None:
            return list(map(self.encode, facts))
        try:
            return write(facts)
        except avro.UNFIT as error:
            raise ContractError(f"cannot encode {kind.__name__}: {error}") from error

    def encode_as(self, fact: Any, version: int) -> bytes:
        """Raise ContractError if there is no such version, or the fact does not fit it."""
        return self._versions.encode(fact, version)

    def newest(self, kind: type[Any]) -> int:
        """The version that `encode` writes."""
        return self._versions.newest(kind)

    def later_fields(self, kind: type[Any], version: int) -> Set[str]:
        """What a version has not yet. Raise ContractError if there is no such version."""
        return self._versions.later_fields(kind, version)

    def version(self, value: bytes) -> int | None:
        """Which version of its contract wrote these bytes, from 1; None where none of ours did.

        Raise ContractError if they name no known schema.
        """
        schema_id = _schema_id(value)
        if schema_id not in self._numbers:
            self._learned(schema_id, value)
        return self._numbers[schema_id]

    def decode(self, value: bytes) -> Any:
        """Raise ContractError if the bytes fit no known contract."""
        schema_id = _schema_id(value)
        read = self._readers.get(schema_id) or self._learned(schema_id, value)
        fact, body = self._read(read, schema_id, value)
        if body.read(1):
            raise ContractError(f"bytes follow the record of schema {schema_id}", record=value)
        return fact

    def name(self, value: bytes) -> Name:
        """The name of a derived fact, by its first fields alone where it begins with its name.

        Raise ContractError if the bytes fit no known contract.
        """
        schema_id = _schema_id(value)
        read = self._name_readers.get(schema_id)
        if read is None:
            return name_of(self.decode(value))
        return self._read(read, schema_id, value)[0]

    def _read(
        self, read: Callable[[BytesIO], T], schema_id: int, value: bytes
    ) -> tuple[T, BytesIO]:
        body = BytesIO(value)
        body.seek(HEAD)
        try:
            return read(body), body
        except ContractError:
            raise
        except Exception as error:  # fastavro raises whatever its bytes led it to
            kind = type(error).__name__
            raise ContractError(f"not Avro of schema {schema_id}: {kind}", record=value) from error

    def fingerprint(self, value: bytes) -> bytes:
        """The SHA-256 of its schema's Parsing Canonical Form (Avro, "Schema Fingerprints").

        Raise ContractError if the bytes name no known schema.
        """
        schema_id = _schema_id(value)
        found = self._fingerprints.get(schema_id)
        if found is None:
            form = self.canonical(value)
            found = self._fingerprints[schema_id] = sha256(form.encode()).digest()
        return found

    def canonical(self, value: bytes) -> str:
        """The Parsing Canonical Form of the schema that wrote these bytes, as `fingerprint`."""
        schema_id = _schema_id(value)
        if schema_id not in self._schemas:
            self._learned(schema_id, value)
        return to_parsing_canonical_form(dict(self._schemas[schema_id]))

    def decode_many(self, values: Sequence[bytes]) -> list[Any]:
        """Decode values in order, those of ticks and raw events many at once.

        These cost a third to a half of one by one. Raise ContractError if any fits no known
        contract.
        """
        return _by_key([value[:HEAD] for value in values], values, self._decoded)

    def _decoded(self, head: bytes, values: Sequence[bytes]) -> list[Any]:
        read = self._many_readers.get(head)
        if read is None:
            return list(map(self._decode_again, values))
        return self._read_many(read, [value[HEAD:] for value in values])

    def splitter(self, kinds: Iterable[type[Any]], make: Callable[[Any], T]) -> Split[T]:
        """Splits records of the newest contracts of these kinds; see hadron.avro.splitting."""
        contracts = {}
        for kind in kinds:
            head, schema = self._contracts[kind]
            contracts[head] = (kind, schema)
        return avro.Splitter(contracts, decode=self.decode, make=make)

    def _read_many(self, read: avro.ReadMany, bodies: list[bytes]) -> list[Any]:
        try:
            return read(bodies)
        except ContractError:
            raise
        except Exception as error:  # fastavro raises whatever its bytes led it to
            kind = type(error).__name__
            raise ContractError(f"not Avro of their schema: {kind}", record=bodies[0]) from error

    def _learned(self, schema_id: int, value: bytes) -> Callable[[BytesIO], Any]:
        if self._unknown is None:
            raise ContractError(f"unknown schema id {schema_id}", record=value)
        self._add_reader(self._unknown(schema_id))
        return self._readers[schema_id]

    def _add_reader(self, version: Version) -> None:
        kind = CLASS_OF[version.name]
        newest = self._versions.newest_schema(kind)
        written = parse_schema(dict(version.schema))
        same = written == newest
        self._schemas[version.id] = version.schema
        self._numbers[version.id] = self._versions.number(kind, version.schema)
        self._readers[version.id] = avro.reader(kind, written, None if same else newest)
        if (named := avro.name_reader(version.schema)) is not None:
            self._name_readers[version.id] = named
        if same and (read := avro.many_reader(kind, version.schema)) is not None:
            self._many_readers[_head(version.id)] = read


def _by_key(
    keys: Sequence[K], items: Sequence[Any], make: Callable[[K, Sequence[Any]], list[Any]]
) -> list[Any]:
    """What is made of the items of each key, many at once; in the order of the items."""
    if len(set(keys)) == 1:  # as of raw events, and of many ticks
        return make(keys[0], items)
    places: dict[K, list[int]] = {}
    for place, key in enumerate(keys):
        places.setdefault(key, []).append(place)
    made: list[Any] = [None] * len(items)
    for key, of_key in places.items():
        for place, one in zip(of_key, make(key, [items[at] for at in of_key]), strict=True):
            made[place] = one
    return made


def _schema_id(value: bytes) -> int:
    if len(value) < HEAD or value[0] != MAGIC:
        raise ContractError("not in the wire format: no byte 0 and schema id", record=value)
    return int.from_bytes(value[1:HEAD])


def _head(schema_id: int) -> bytes:
    return bytes([MAGIC]) + schema_id.to_bytes(4)
