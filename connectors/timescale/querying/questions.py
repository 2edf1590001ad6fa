"""What people ask of the archive, each question with its statement and the class of its answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Required, TypedDict, TypeVar, Unpack

from psycopg import sql

from connectors.timescale.querying.answers import (
    Alert,
    Candle,
    Decision,
    Exposure,
    Gap,
    Holding,
    Lag,
    Order,
    Slippage,
)
from connectors.timescale.storage.windows import Interval

LIMIT = 1_000

T = TypeVar("T")


class WantedTicks(TypedDict, total=False):
    """Which rows; what is not given, or is None, restricts nothing. Times are in [start, end)."""

    instrument: str | None
    start: datetime | None
    end: datetime | None
    limit: int | None  # of the newest rows; None: all


class Wanted(WantedTicks, total=False):
    """Which rows, where strategies and portfolios have their own."""

    strategy: str | None
    portfolio: str | None


class WantedExposure(TypedDict, total=False):
    """When, and whose. `before`: offsets of the topic `positions` by partition."""

    moment: datetime | None
    before: Mapping[int, int] | None
    portfolio: str | None
    limit: int | None


class WantedPositions(WantedExposure, total=False):
    """Which positions, and when."""

    instrument: str | None
    strategy: str | None


class WantedAlerts(TypedDict, total=False):
    """Which alerts."""

    start: datetime | None
    end: datetime | None
    limit: int | None
    subject: str | None


class WantedLag(TypedDict, total=False):
    """Which ticks."""

    start: Required[datetime]
    end: Required[datetime]
    instrument: str | None
    limit: int | None


@dataclass(frozen=True)
class Question(Generic[T]):
    """Columns of `statement` are the fields of `kind`, in their order."""

    kind: type[T]
    statement: sql.Composed
    parameters: Mapping[str, Any]


def candles(
    instrument: str,
    *,
    every: Interval,
    start: datetime,
    end: datetime,
    limit: int | None = LIMIT,
) -> Question[Candle]:
    """The newest candles whose bucket begins in [start, end), oldest first."""
    source = _CANDLES.format(sql.Identifier(f"prices_{every}"))
    wanted = Wanted(instrument=instrument, start=start, end=end, limit=limit)
    newest = _question(Candle, source, wanted, time="bucket", order="bucket DESC")
    statement = sql.SQL("SELECT * FROM ({}) AS newest ORDER BY bucket").format(newest.statement)
    return Question(Candle, statement, newest.parameters)


def newest_candles(
    count: int, *, every: Interval, start: datetime, end: datetime
) -> Question[Candle]:
    """Of each instrument so many newest candles, by instrument, then oldest first."""
    statement = _NEWEST.format(
        names=sql.SQL(", ").join(map(sql.Identifier, Candle.__struct_fields__)),
        source=_CANDLES.format(sql.Identifier(f"prices_{every}")),
    )
    return Question(Candle, statement, {"count": count, "start": start, "end": end})


def decisions(**wanted: Unpack[Wanted]) -> Question[Decision]:
    """The newest decisions first, each with its terminal outcome and reason."""
    return _question(Decision, sql.SQL("decisions_with_ends"), wanted)


def orders(**wanted: Unpack[Wanted]) -> Question[Order]:
    """The newest intents that asked for an order first, each with its execution."""
    return _question(Order, sql.SQL("orders_with_fills"), wanted)


def slippage(**wanted: Unpack[Wanted]) -> Question[Slippage]:
    """The newest fills first, each against the price that its decision saw."""
    return _question(Slippage, sql.SQL("order_slippage"), wanted)


def gaps(**wanted: Unpack[WantedTicks]) -> Question[Gap]:
    """The newest ticks before which some may be missing."""
    return _question(Gap, sql.SQL("tick_gaps"), wanted)


def alerts(*, raised: bool = False, **wanted: Unpack[WantedAlerts]) -> Question[Alert]:
    """The newest alerts first; `raised`: only those that are not over."""
    source = "alerts_with_ends"
    if raised:
        source = f"(SELECT * FROM {source} WHERE cleared_at IS NULL) AS asked"
    return _question(Alert, sql.SQL(source), wanted)


def positions(**wanted: Unpack[WantedPositions]) -> Question[Holding]:
    """The latest of each portfolio, strategy and instrument, by its place on the log.

    Changes later than `moment` do not count, nor those at or behind the offsets of `before`.
    """
    source = sql.SQL("positions_at") + _AS_OF
    return _as_of(Holding, source, wanted, order="portfolio, strategy, instrument")


def exposure(**wanted: Unpack[WantedExposure]) -> Question[Exposure]:
    """What each portfolio has at risk, from its positions as `positions` gives them."""
    return _as_of(Exposure, sql.SQL("exposure_at") + _AS_OF, wanted, order="portfolio")


def lag(**wanted: Unpack[WantedLag]) -> Question[Lag]:
    """Ticks of [start, end) by instrument: how many of which quality, and how late they came."""
    rest = {name: value for name, value in wanted.items() if name not in ("start", "end")}
    asked = _question(Lag, _LAG, rest, order="instrument")
    window = {"from": wanted["start"], "to": wanted["end"]}
    return Question(Lag, asked.statement, {**asked.parameters, **window})


# A quotient has as many digits as the database likes; Arrow's decimals have 18.
_CANDLES = sql.SQL("""
    (SELECT bucket, instrument, open, high, low, close, volume, notional, trades,
        round(vwap, 18) AS vwap FROM {}) AS asked
""")
_NEWEST = sql.SQL("""
    SELECT {names} FROM (
        SELECT *, row_number() OVER (PARTITION BY instrument ORDER BY bucket DESC) AS age
        FROM {source} WHERE bucket >= %(start)s AND bucket < %(end)s
    ) AS aged WHERE age <= %(count)s ORDER BY instrument, bucket
""")
_AS_OF = sql.SQL("(coalesce(%(moment)s::timestamptz, 'infinity'), %(before)s::bigint[])")
_LAG = sql.SQL("instrument_lag(%(from)s::timestamptz, %(to)s::timestamptz)")


def newest_tick(instrument: str | None) -> tuple[sql.Composed, Mapping[str, Any]]:
    """One row, one cell: the time of the newest tick, or NULL."""
    if instrument is None:
        statement = sql.SQL("SELECT max(newest) FROM instruments_ticked").format()
    else:
        statement = sql.SQL("SELECT max(at) FROM ticks WHERE instrument = %(instrument)s").format()
    return statement, {"instrument": instrument}


def _as_of(
    kind: type[T], source: sql.Composable, wanted: Mapping[str, Any], *, order: str
) -> Question[T]:
    rest = {name: value for name, value in wanted.items() if name not in ("moment", "before")}
    before = wanted.get("before") or {}
    bounds = [before.get(partition) for partition in range(max(before, default=-1) + 1)]
    asked = _question(kind, source, rest, order=order)
    parameters = {**asked.parameters, "moment": wanted.get("moment"), "before": bounds}
    return Question(kind, asked.statement, parameters)


def _question(
    kind: type[T],
    source: sql.Composable,
    wanted: Mapping[str, Any],
    *,
    time: str = "at",
    order: str = "at DESC, log_partition, log_offset DESC",
) -> Question[T]:
    names: Sequence[str] = kind.__struct_fields__  # type: ignore[attr-defined]
    given = {name: value for name, value in wanted.items() if value is not None}
    bounds = {"start": ">=", "end": "<"}
    conditions: list[sql.Composable] = [
        sql.SQL("{} {} {}").format(
            sql.Identifier(time if name in bounds else name),
            sql.SQL(bounds.get(name, "=")),
            sql.Placeholder(name),
        )
        for name in given
        if name != "limit"
    ]
    statement = sql.SQL("SELECT {} FROM {} WHERE {} ORDER BY {} LIMIT %(limit)s").format(
        sql.SQL(", ").join(map(sql.Identifier, names)),
        source,
        sql.SQL(" AND ").join(conditions or [sql.SQL("true")]),
        sql.SQL(order),
    )
    return Question(kind, statement, {**given, "limit": wanted.get("limit", LIMIT)})
