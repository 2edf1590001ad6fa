"""Control facts as rows of `control_changes` and back: one table for all that people change.

Who changed what and why are columns; what a fact says beside that is kept as JSON, because each
kind says something else and all of them are few.
"""

from __future__ import annotations

import typing
from collections.abc import Mapping
from typing import Any

import msgspec
from psycopg.types.json import Json

from connectors.timescale.kept import kept
from connectors.timescale.layout import LOG, Layout, Place, time_of
from connectors.timescale.rows import later_fields
from hadron import topics
from hadron.control.facts import ControlFact
from hadron.ports import Codec

TABLE = "control_changes"
KINDS: Mapping[str, type[Any]] = {kind.__name__: kind for kind in typing.get_args(ControlFact)}
_CELLS = (
    *LOG,
    *(("kind", "text"), ("subject", "text"), ("author", "text"), ("reason", "text")),
    *(("version", "int8"), ("at_ns", "int8"), ("fact", "json"), ("record", "bytea")),
)
_COLUMNS = ("author", "reason", "version", "at_ns")

LAYOUT = Layout(TABLE, TABLE, *zip(*_CELLS, strict=True))


def row(fact: Any, place: Place, value: bytes, codec: Codec) -> tuple[Any, ...]:
    """The row of a control fact that lies on the log as `value`."""
    elsewhere = later_fields(type(fact), value, codec) | set(_COLUMNS)
    said = {name: said for name, said in _builtins(fact).items() if name not in elsewhere}
    kind = type(fact).__name__
    found = {"kind": kind, "fact": said, **{name: getattr(fact, name) for name in _COLUMNS}}
    return (
        *(time_of(fact.at_ns), *place, kind, topics.key_of(fact)),
        *(fact.author, fact.reason, fact.version, fact.at_ns),
        # The type json, not jsonb: it keeps the order of the parameters, which the bytes have.
        Json(said, dumps=msgspec.json.encode),
        kept(fact_of(found), value, codec),
    )


def fact_of(found: Mapping[str, Any]) -> Any:
    """The fact that a row without its record's bytes stands for."""
    fields = found["fact"] | {name: found[name] for name in _COLUMNS}
    return msgspec.convert(fields, KINDS[found["kind"]])


def _builtins(fact: Any) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.to_builtins(fact)  # exact numbers become text
    return fields
