"""What people ask of the archive."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeVar

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from connectors.timescale.answers import Candle, Decision, Holding, Order
from connectors.timescale.errors import our_errors
from connectors.timescale.windows import Interval

LIMIT = 1_000

T = TypeVar("T")


_CANDLES = sql.SQL("""
    SELECT bucket, instrument, open, high, low, close, volume, notional, trades, vwap
    FROM {view}
    WHERE instrument = %(instrument)s AND bucket >= %(start)s AND bucket < %(end)s
    ORDER BY bucket DESC LIMIT %(limit)s
""")

_DECISIONS = sql.SQL("""
    SELECT d.at, d.log_partition, d.log_offset, d.strategy, d.portfolio, d.instrument, d.side,
        d.quantity, d.confidence, d.evidence,
        coalesce(e.outcome, i.outcome) AS outcome, coalesce(e.reason, i.reason) AS reason
    FROM strategy_decisions AS d
    LEFT JOIN order_intents AS i
        ON (i.cause_topic, i.cause_partition, i.cause_offset)
            = (d.log_topic, d.log_partition, d.log_offset)
    LEFT JOIN order_executions AS e
        ON (e.cause_topic, e.cause_partition, e.cause_offset)
            = (i.log_topic, i.log_partition, i.log_offset)
    WHERE {matches} ORDER BY d.at DESC, d.log_partition, d.log_offset DESC LIMIT %(limit)s
""")

_ORDERS = sql.SQL("""
    SELECT i.at, i.log_partition, i.log_offset, i.strategy, i.portfolio, i.instrument, i.side,
        i.quantity, i.verdict, e.client_order,
        CASE WHEN i.outcome = 'approved' THEN e.outcome ELSE i.outcome END AS outcome,
        e.price, e.price_from, coalesce(e.reason, i.reason) AS reason, e.simulated
    FROM order_intents AS i
    LEFT JOIN order_executions AS e
        ON (e.cause_topic, e.cause_partition, e.cause_offset)
            = (i.log_topic, i.log_partition, i.log_offset)
    WHERE i.outcome <> 'dismissed' AND {matches}
    ORDER BY i.at DESC, i.log_partition, i.log_offset DESC LIMIT %(limit)s
""")

# The last by place on the log, which the clock of a venue cannot turn round: all changes of one
# position lie in one partition.
_POSITIONS = sql.SQL("""
    SELECT at, portfolio, strategy, instrument, quantity, average_price, realised, unrealised, mark
    FROM (
        SELECT DISTINCT ON (portfolio, strategy, instrument) *
        FROM positions AS p WHERE {matches}
        ORDER BY portfolio, strategy, instrument, log_offset DESC
    ) AS newest
    ORDER BY portfolio, strategy, instrument LIMIT %(limit)s
""")


def candles(
    url: str,
    instrument: str,
    *,
    every: Interval,
    start: datetime,
    end: datetime,
    limit: int = LIMIT,
) -> list[Candle]:
    """The newest candles whose bucket begins in [start, end), oldest first."""
    view = sql.Identifier(f"prices_{every}")
    window = {"instrument": instrument, "start": start, "end": end, "limit": limit}
    return _all(url, Candle, _CANDLES.format(view=view), window)[::-1]


def decisions(
    url: str,
    *,
    instrument: str | None = None,
    strategy: str | None = None,
    portfolio: str | None = None,
    limit: int = LIMIT,
) -> list[Decision]:
    """The newest decisions first, each with its terminal outcome and reason."""
    wanted = {"instrument": instrument, "strategy": strategy, "portfolio": portfolio}
    return _all(url, Decision, _DECISIONS, {**wanted, "limit": limit}, matching="d")


def orders(
    url: str,
    *,
    instrument: str | None = None,
    strategy: str | None = None,
    portfolio: str | None = None,
    limit: int = LIMIT,
) -> list[Order]:
    """The newest intents that asked for an order first, each with its execution."""
    wanted = {"instrument": instrument, "strategy": strategy, "portfolio": portfolio}
    return _all(url, Order, _ORDERS, {**wanted, "limit": limit}, matching="i")


def positions(
    url: str,
    *,
    instrument: str | None = None,
    strategy: str | None = None,
    portfolio: str | None = None,
    limit: int = LIMIT,
) -> list[Holding]:
    """The latest of each portfolio, strategy and instrument."""
    wanted = {"instrument": instrument, "strategy": strategy, "portfolio": portfolio}
    return _all(url, Holding, _POSITIONS, {**wanted, "limit": limit}, matching="p")


def _all(
    url: str,
    kind: type[T],
    query: sql.SQL | sql.Composed,
    parameters: dict[str, Any],
    *,
    matching: str | None = None,
) -> list[T]:
    if matching is not None:
        query = sql.SQL(query.as_string()).format(matches=_matches(matching, parameters))
    with our_errors(), psycopg.connect(url, row_factory=class_row(kind)) as connection:
        return connection.execute(query, parameters).fetchall()


def _matches(table: str, wanted: dict[str, Any]) -> sql.Composable:
    conditions: Sequence[sql.Composable] = [
        sql.SQL("{} = {}").format(sql.Identifier(table, name), sql.Placeholder(name))
        for name in ("instrument", "strategy", "portfolio")
        if wanted[name] is not None
    ]
    return sql.SQL(" AND ").join(conditions) if conditions else sql.SQL("true")
