"""Every cell that the archive would write for a record, so that none can be changed unseen."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
from psycopg.types.json import Json

from connectors.timescale import ticks
from connectors.timescale.exact import fits, microseconds
from connectors.timescale.kept import kept, version_of
from connectors.timescale.layout import EPOCH, Place
from connectors.timescale.tables import LAYOUTS, fact_of, row
from hadron.audit.facts import RecordPoisoned
from hadron.audit.leaves import Leaves
from hadron.errors import ContractError
from hadron.market.facts import QuoteChanged, RawReceived, TradePrinted
from hadron.ports import Codec
from hadron.values import number

_US = timedelta(microseconds=1)
_NUMBERS = ("price", "size", "bid", "ask", "bid_size", "ask_size")
# What a row may lead our own code to, when its cells are not what the archive writes.
_ODD = (ContractError, ValueError, TypeError, ArithmeticError, LookupError, AttributeError)


def leaf_of(table: str, found: Mapping[str, Any], codec: Codec, leaves: Leaves) -> bytes:
    """The leaf of a row; a sentence, as bytes, where the archive would not have written it so.

    `at` is in microseconds since the epoch, JSON is text.
    """
    place = Place(found["log_topic"], found["log_partition"], found["log_offset"])
    try:
        letter = table == LAYOUTS[RecordPoisoned].table and place == _cause(found)
        fact, value = _reread(table, found, codec)
        wanted = cells(fact, place, value, codec)
        for name, cell in found.items():
            # What the table has for facts of another kind only is empty.
            if cell != wanted.get(name):
                said = f"{name} is {cell!r}, wanted {wanted.get(name)!r}"
                return said.encode()[:500] + b" "
        return (leaves.letter if letter else leaves.record)(*place, value)
    except _ODD as error:
        return f"it cannot be encoded: {error}".encode()[:500] + b" "


def cells(fact: Any, place: Place, value: bytes, codec: Codec) -> dict[str, Any]:
    """The cells of the row of a fact that lies on the log as `value`, by column."""
    kind = type(fact)
    if kind is TradePrinted or kind is QuoteChanged:
        return _tick(fact, place, value, codec)
    if kind is RawReceived:
        return _raw(fact, place, value, codec)
    pairs = zip(LAYOUTS[kind].names, row(fact, place, value, codec), strict=True)
    return {name: _plain(cell) for name, cell in pairs}


def _reread(table: str, found: Mapping[str, Any], codec: Codec) -> tuple[Any, bytes]:
    version = version_of(found["record"])
    if version is None:
        value = bytes(found["record"])
        return codec.decode(value), value
    parsed = {name: _parsed(name, cell, table) for name, cell in found.items()}
    fact = fact_of(table, parsed, codec)
    return fact, codec.encode_as(fact, version)


def _cause(found: Mapping[str, Any]) -> tuple[Any, ...]:
    return found["cause_topic"], found["cause_partition"], found["cause_offset"]


def _tick(fact: Any, place: Place, value: bytes, codec: Codec) -> dict[str, Any]:
    trade = type(fact) is TradePrinted
    named: dict[str, Any] = dict.fromkeys(ticks.COLUMNS)
    named |= {name: getattr(fact, name) for name in ticks.COLUMNS if hasattr(fact, name)}
    for name in _NUMBERS:
        scale = fact.size_scale if "size" in name else fact.price_scale
        named[name] = None if named[name] is None else _held(named[name], scale)
    whole = None in [named[name] for name in (_NUMBERS[:2] if trade else _NUMBERS[2:])]
    return named | {
        **_log(fact.at_ns, place),
        "kind": "trade" if trade else "quote",
        "conditions": list(fact.conditions) if trade else None,
        "record": value if whole else kept(fact, value, codec),
    }


def _raw(fact: Any, place: Place, value: bytes, codec: Codec) -> dict[str, Any]:
    names = ("connection", "frame", "venue", "symbol", "instrument", "payload", "seen_ns")
    return {
        **{name: getattr(fact, name) for name in names},
        **_log(fact.seen_ns, place),
        "frame_index": fact.index,
        "record": kept(fact, value, codec),
    }


def _log(at_ns: int, place: Place) -> dict[str, Any]:
    names = ("log_topic", "log_partition", "log_offset")
    return {"at": microseconds(at_ns), **dict(zip(names, place, strict=True))}


def _held(mantissa: int, scale: int) -> Decimal | None:
    if not -18 <= scale <= 30:
        return None
    held = number(mantissa, scale)
    return held if fits(held) else None


def _plain(cell: Any) -> Any:
    if isinstance(cell, datetime):
        return (cell - EPOCH) // _US
    return msgspec.json.encode(cell.obj).decode() if isinstance(cell, Json) else cell


def _parsed(name: str, cell: Any, table: str) -> Any:
    return msgspec.json.decode(cell) if (table, name) in _JSON and cell is not None else cell


_JSON = frozenset(
    (layout.table, name)
    for layout in LAYOUTS.values()
    for name, kind in zip(layout.names, layout.types, strict=False)
    if kind == "json"
)
