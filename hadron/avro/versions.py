"""All versions of each contract, by their numbers, so that a fact can be written as any of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from typing import Any, NamedTuple

from fastavro import parse_schema

from hadron.avro.shape import Schema
from hadron.avro.writing import writer
from hadron.errors import ContractError

# What a fact that does not fit leads fastavro to.
UNFIT = (KeyError, ValueError, TypeError, OverflowError, AttributeError)


class _Version(NamedTuple):
    parsed: Any
    write: Callable[[Any], bytes]
    later_fields: Set[str]


class Versions:
    """Of each kind of fact all versions that there ever were, counted from 1 by their age."""

    def __init__(self) -> None:
        self._known: dict[type[Any], list[_Version]] = {}

    def add(self, kind: type[Any], schema: Schema, head: bytes) -> None:
        """The next version of a kind, whose records begin with `head`."""
        had = {field["name"] for field in schema["fields"]}
        later = frozenset(kind.__struct_fields__) - had
        version = _Version(parse_schema(dict(schema)), writer(kind, schema, head), later)
        self._known.setdefault(kind, []).append(version)

    def number(self, kind: type[Any], schema: Schema) -> int | None:
        """Which version has this schema; None if none has."""
        parsed = parse_schema(dict(schema))
        known = self._known.get(kind, ())
        return next((number for number, one in enumerate(known, 1) if one.parsed == parsed), None)

    def newest(self, kind: type[Any]) -> int:
        """The number of the version that is written."""
        return len(self._known[kind])

    def newest_schema(self, kind: type[Any]) -> Any:
        """Its schema, parsed."""
        return self._known[kind][-1].parsed

    def writers(self) -> Mapping[type[Any], Callable[[Any], bytes]]:
        """What writes the newest version of each kind."""
        return {kind: known[-1].write for kind, known in self._known.items()}

    def encode(self, fact: Any, number: int) -> bytes:
        """As this version writes it. Raise ContractError if there is none, or it does not fit."""
        write = self._of(type(fact), number).write
        try:
            return write(fact)
        except UNFIT as error:
            name = f"version {number} of {type(fact).__name__}"
            raise ContractError(f"cannot encode {name}: {error}") from error

    def later_fields(self, kind: type[Any], number: int) -> Set[str]:
        """The fields that a version has not yet. Raise ContractError if there is none."""
        return self._of(kind, number).later_fields

    def _of(self, kind: type[Any], number: int) -> _Version:
        known = self._known.get(kind, [])
        if not 1 <= number <= len(known):
            raise ContractError(f"{kind.__name__} has no version {number}")
        return known[number - 1]
