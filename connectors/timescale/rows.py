"""Facts of the audit tables as rows and back, derived from the facts' own fields."""

from __future__ import annotations

import typing
from collections.abc import Mapping, Set
from decimal import Decimal
from typing import Any

import msgspec
from psycopg.types.json import Json

from connectors.timescale.exact import fits, mantissa
from connectors.timescale.kept import kept
from connectors.timescale.layout import LOG, Column, Layout, Place, time_of
from hadron.audit.facts import AlertCleared, AlertRaised, RecordPoisoned
from hadron.contracts import contract_name
from hadron.desk.facts import DecisionDismissed, IntentApproved, IntentRejected
from hadron.market.facts import PriceMarked
from hadron.orders.facts import OrderFilled, OrderRejected
from hadron.portfolio.facts import PositionChanged
from hadron.ports import Codec
from hadron.reference.facts import InstrumentListed
from hadron.strategy.facts import DecisionMade, StrategyDeployed
from hadron.values import number

TABLE_OF: Mapping[type[Any], str] = {
    DecisionMade: "strategy_decisions",
    IntentApproved: "order_intents",
    IntentRejected: "order_intents",
    DecisionDismissed: "order_intents",
    OrderFilled: "order_executions",
    OrderRejected: "order_executions",
    PositionChanged: "positions",
    PriceMarked: "price_marks",
    InstrumentListed: "instruments_listed",
    StrategyDeployed: "strategy_versions",
    AlertRaised: "alerts",
    AlertCleared: "alerts",
    RecordPoisoned: "dead_letters",
}
OUTCOME: Mapping[type[Any], str] = {
    IntentApproved: "approved",
    IntentRejected: "rejected",
    DecisionDismissed: "dismissed",
    OrderFilled: "filled",
    OrderRejected: "rejected",
    AlertCleared: "cleared",
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


def row(fact: Any, place: Place, value: bytes, codec: Codec) -> tuple[Any, ...]:
    """The row of a fact that lies on the log as `value`.

    `value` is kept in `record` where the columns alone would not give it back.
    """
    kind = type(fact)
    at_ns = fact.seen_ns if kind is RecordPoisoned else fact.at_ns
    cells: list[Any] = [time_of(at_ns), *place]
    if kind in OUTCOME:
        cells.append(OUTCOME[kind])
    record = kept(fact, value, codec)
    later = later_fields(kind, value, codec)
    for column in LAYOUTS[kind].columns:
        content = None if column.field in later else getattr(fact, column.field)
        if column.type == "numeric":
            held = content is None or column.kind == "number" or fits(content)
            record = record if held else value
            cells += [content if held else None, _scale(content)]
        else:
            cells.append(_json(content) if column.kind == "json" else content)
    return (*cells, record)


def later_fields(kind: type[Any], value: bytes, codec: Codec) -> Set[str]:
    """The fields that the version has not that wrote a record: their columns are NULL.

    So they are in rows that were written before there was the column.
    """
    version = codec.version(value)
    return codec.later_fields(kind, version) if version is not None else frozenset()


def fact_of(kind: type[Any], found: Mapping[str, Any], later: Set[str] = frozenset()) -> Any:
    """The fact that a row without its record's bytes stands for, with defaults for `later`."""
    fields: dict[str, Any] = {}
    for column in LAYOUTS[kind].columns:
        if column.field in later:
            continue
        content = found[column.name]
        if column.type == "numeric" and content is not None:
            scale = found[f"{column.name}_scale"]
            content = number(mantissa(content, scale), scale)
        fields[column.field] = content
    return kind(**fields)


def _layout(kind: type[Any]) -> Layout:
    hints = typing.get_type_hints(kind)
    columns = tuple(_column(name, hints[name]) for name in kind.__struct_fields__)
    cells = list(LOG)
    if kind in OUTCOME:
        cells.append(("outcome", "text"))
    for column in columns:
        cells.append((column.name, column.type))
        if column.type == "numeric":
            cells.append((f"{column.name}_scale", "int4"))
    cells.append(("record", "bytea"))
    names, types = zip(*cells, strict=True)
    return Layout(contract_name(kind), TABLE_OF[kind], names, types, columns)


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


def _json(content: Mapping[str, str] | None) -> Json | None:
    if content is None:
        return None
    # The type json, not jsonb: it keeps the order of the entries, which the record's bytes have.
    return Json(content, dumps=msgspec.json.encode)


def _scale(content: Decimal | None) -> int | None:
    if content is None:
        return None
    exponent = content.as_tuple().exponent
    return max(-int(exponent), 0)


LAYOUTS: Mapping[type[Any], Layout] = {kind: _layout(kind) for kind in TABLE_OF}
