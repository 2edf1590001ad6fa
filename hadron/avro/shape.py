"""What a contract's class and schema look like to readers and writers."""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from itertools import takewhile
from typing import Any

import msgspec
from fastavro import parse_schema

from hadron.values import parts

EXACT = "hadron.Exact"  # a decimal number, (mantissa, scale)
MOST_RUNS = 65_536  # combinations of repeated fields that are kept, of a kind

Schema = Mapping[str, Any]

_HINTS: dict[type[Any], dict[str, Any]] = {}  # a millisecond each, and asked for again and again


def repeated_fields(schema: Schema) -> tuple[str, ...]:
    """The names of the leading fields that are marked as having few values."""
    return tuple(field["name"] for field in takewhile(lambda f: f.get("repeats"), schema["fields"]))


def part(schema: Schema, fields: Sequence[Any]) -> Any:
    """A parsed schema of some of the fields."""
    return parse_schema({"type": "record", "name": schema["name"], "fields": list(fields)})


def are_longs(fields: Sequence[Any]) -> bool:
    """Whether they are written like the items of a short array of longs, which is a third cheaper.

    Two to 62: attrgetter gives a tuple, and the count takes one byte.
    """
    return 2 <= len(fields) < 63 and all(field["type"] in ("int", "long") for field in fields)


def are_longs_and_bytes(fields: Sequence[Any]) -> bool:
    """Whether they are such longs, then bytes: a long that says how many, and themselves."""
    return fields[-1]["type"] == "bytes" and are_longs(fields[:-1])


def plain(kind: type[Any]) -> Callable[[Any], dict[str, Any]]:
    """What turns facts of a kind into what fastavro writes."""
    exact = exact_fields(kind)
    optional = {name for name in exact if types.NoneType in _alternatives(_hints(kind)[name])}

    def with_exact(fact: Any) -> dict[str, Any]:
        fields = msgspec.structs.asdict(fact)
        for name in exact:
            if fields[name] is not None:
                mantissa, scale = parts(fields[name])
                value = {"mantissa": mantissa, "scale": scale}
                # Named, or fastavro tries every branch of the union: twice the time.
                fields[name] = (EXACT, value) if name in optional else value
        return fields

    def with_nested(fact: Any) -> dict[str, Any]:
        fields: dict[str, Any] = msgspec.to_builtins(fact, builtin_types=(bytes,))
        return fields

    return with_exact if exact else with_nested if has_structs(kind) else msgspec.structs.asdict


def exact_fields(kind: type[Any]) -> tuple[str, ...]:
    """The fields that are Decimals."""
    hints = _hints(kind)
    return tuple(name for name, hint in hints.items() if Decimal in _alternatives(hint))


def has_structs(kind: type[Any]) -> bool:
    """Whether a field holds facts."""
    return any(
        isinstance(argument, type) and issubclass(argument, msgspec.Struct)
        for hint in _hints(kind).values()
        for argument in typing.get_args(hint)
    )


def has_tuples(kind: type[Any]) -> bool:
    """Whether a field is a tuple."""
    return any(typing.get_origin(hint) is tuple for hint in _hints(kind).values())


def _alternatives(hint: Any) -> tuple[Any, ...]:
    union = typing.get_origin(hint) in (typing.Union, types.UnionType)
    return typing.get_args(hint) if union else (hint,)


def _hints(kind: type[Any]) -> dict[str, Any]:
    if kind not in _HINTS:
        _HINTS[kind] = typing.get_type_hints(kind)
    return _HINTS[kind]
