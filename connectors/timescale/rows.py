"""Facts of the audit tables as rows and back, derived from the facts' own fields."""

from __future__ import annotations

import typing
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal, NamedTuple

import msgspec
from psycopg.types.json import Json

from connectors.timescale.exact import fits, mantissa, microseconds
from hadron.audit.facts import RecordPoisoned
from hadron.desk.facts import DecisionDismissed, IntentApproved, IntentRejected
from hadron.errors import ContractError
from hadron.orders.facts import OrderFilled, OrderRejected
from hadron.portfolio.facts import PositionChanged
from hadron.ports import Codec
from hadron.strategy.facts import DecisionMade
from hadron.values import number

TABLE_OF: Mapping[type[Any], str] = {
    DecisionMade: "strategy_decisions",
    IntentApproved: "order_intents",
    IntentRejected: "order_intents",
    DecisionDismissed: "order_intents",
    OrderFilled: "order_executions",
    OrderRejected: "order_executions",
    PositionChanged: "positions",
    RecordPoisoned: "dead_letters",
}
OUTCOME: Mapping[type[Any], str] = {
    IntentApproved: "approved",
    IntentRejected: "rejected",
    DecisionDismissed: "dismissed",
    OrderFilled: "filled",
    OrderRejected: "rejected",
}
_RENAMED = {
    "source": "cause_topic",
    "partition": "cause_partition",
    "offset": "cause_offset",
    "index": "cause_index",
    "order": "client_order",
}
# Computed or unit-free: NUMERIC without bounds. All other numbers are NUMERIC(20,8).
_UNBOUNDED = frozenset({"confidence", "average_price", "realised", "unrealised", "mark"})
_LOG = ("at", "log_topic", "log_partition", "log_offset")
_LOG_TYPES = ("timestamptz", "text", "int4", "int8")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Column(NamedTuple):
    """A field of a fact and the column, or two, that it fills."""

    field: str
    name: str
    kind: Literal["plain", "price", "number", "json"]
    type: str


class Place(NamedTuple):
    """Where a record lies on the log."""

    topic: str
    partition: int
    offset: int


class Layout(NamedTuple):
    """How the facts of one kind lie in their table."""

    columns: tuple[Column, ...]
    names: tuple[str, ...]  # of the cells of `row`, in its order
    types: tuple[str, ...]  # binary COPY writes wrong widths without them


def row(fact: Any, place: Place, value: bytes, codec: Codec) -> tuple[Any, ...]:
    """The row of a fact that lies on the log as `value`.

    `value` is kept in `record` where the columns alone would not give it back.
    """
    kind = type(fact)
    at_ns = fact.seen_ns if kind is RecordPoisoned else fact.at_ns
    at = _EPOCH + timedelta(microseconds=microseconds(at_ns))
    cells: list[Any] = [at, *place]
    if kind in OUTCOME:
        cells.append(OUTCOME[kind])
    whole = not _comes_back(fact, value, codec)
    for column in LAYOUTS[kind].columns:
        content = getattr(fact, column.field)
        if column.type == "numeric":
            held = content is None or column.kind == "number" or fits(content)
            whole = whole or not held
            cells += [content if held else None, _scale(content)]
        else:
            cells.append(_json(content) if column.kind == "json" else content)
    return (*cells, value if whole else None)


def fact_of(kind: type[Any], found: Mapping[str, Any]) -> Any:
    """The fact that a row without `record` stands for."""
    fields: dict[str, Any] = {}
    for column in LAYOUTS[kind].columns:
        content = found[column.name]
        if column.type == "numeric" and content is not None:
            scale = found[f"{column.name}_scale"]
            content = number(mantissa(content, scale), scale)
        fields[column.field] = content
    return kind(**fields)


def _comes_back(fact: Any, value: bytes, codec: Codec) -> bool:
    try:
        return codec.encode(fact) == value
    except ContractError:
        return False  # readable, but not as we would have written it


def _layout(kind: type[Any]) -> Layout:
    hints = typing.get_type_hints(kind)
    columns = tuple(_column(name, hints[name]) for name in kind.__struct_fields__)
    cells: list[tuple[str, str]] = list(zip(_LOG, _LOG_TYPES, strict=True))
    if kind in OUTCOME:
        cells.append(("outcome", "text"))
    for column in columns:
        cells.append((column.name, column.type))
        if column.type == "numeric":
            cells.append((f"{column.name}_scale", "int4"))
    cells.append(("record", "bytea"))
    names, types = zip(*cells, strict=True)
    return Layout(columns, names, types)


def _column(field: str, hint: Any) -> Column:
    name = _RENAMED.get(field, field)
    alternatives = typing.get_args(hint)
    if hint is Decimal or Decimal in alternatives:
        return Column(field, name, "number" if field in _UNBOUNDED else "price", "numeric")
    if typing.get_origin(hint) is dict:
        return Column(field, name, "json", "json")
    if hint is bytes or bytes in alternatives:
        return Column(field, name, "plain", "bytea")
    plain = {bool: "bool", int: "int4" if field in ("partition", "index") else "int8"}
    wide = "int4" if field == "raw_partition" else plain.get(hint, "text")
    return Column(field, name, "plain", wide)


def _json(content: Mapping[str, str]) -> Json:
    # The type json, not jsonb: it keeps the order of the entries, which the record's bytes have.
    return Json(content, dumps=msgspec.json.encode)


def _scale(content: Decimal | None) -> int | None:
    if content is None:
        return None
    exponent = content.as_tuple().exponent
    return max(-int(exponent), 0)


LAYOUTS: Mapping[type[Any], Layout] = {kind: _layout(kind) for kind in TABLE_OF}
