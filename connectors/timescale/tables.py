"""Which table has the facts of each kind, and how they get in and out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.timescale import control, raw, rows, ticks
from connectors.timescale.kept import FIRST, version_of
from connectors.timescale.layout import Layout, Place
from connectors.timescale.rows import OUTCOME
from hadron.market.facts import QuoteChanged, RawReceived, TradePrinted
from hadron.ports import Codec

LAYOUTS: Mapping[type[Any], Layout] = {
    RawReceived: raw.LAYOUT,
    TradePrinted: ticks.LAYOUT,
    QuoteChanged: ticks.LAYOUT,
    **rows.LAYOUTS,
    **dict.fromkeys(control.KINDS.values(), control.LAYOUT),
}
TABLE_OF: Mapping[type[Any], str] = {kind: layout.table for kind, layout in LAYOUTS.items()}
TABLES: tuple[str, ...] = tuple(dict.fromkeys(TABLE_OF.values()))


def row(fact: Any, place: Place, value: bytes, codec: Codec) -> tuple[Any, ...]:
    """The row of a fact that lies on the log as `value`, but for ticks and raw events.

    `value` is kept in `record` where the columns alone would not give it back.
    """
    of = control.row if LAYOUTS[type(fact)] is control.LAYOUT else rows.row
    return of(fact, place, value, codec)


def fact_of(table: str, found: Mapping[str, Any], codec: Codec) -> Any:
    """The fact that a row without its record's bytes stands for."""
    if table == ticks.TABLE:
        return ticks.tick(found)
    if table == raw.TABLE:
        return raw.raw(found)
    if table == control.TABLE:
        return control.fact_of(found)
    of_table = [kind for kind in rows.TABLE_OF if rows.TABLE_OF[kind] == table]
    [kind] = [kind for kind in of_table if OUTCOME.get(kind) == found.get("outcome")]
    return rows.fact_of(kind, found, codec.later_fields(kind, version_of(found["record"]) or FIRST))
