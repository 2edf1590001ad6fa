"""Rows of ticks by INSERT: TimescaleDB in WASM has no COPY over its socket."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from hadron.market.facts import TradePrinted
from hadron.values import number


def rows(url: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(query.encode()).fetchall()


def insert(url: str, trades: Iterable[TradePrinted], first: int = 0) -> None:
    """Store trades at the offsets from `first` of one partition."""
    names = "at, at_ns, seen_ns, log_topic, log_partition, log_offset, raw_partition, raw_offset"
    more = "kind, instrument, venue, sequence, price, size, price_scale, size_scale, conditions"
    columns = f"{names}, {more}, quality, lane, reason"
    places = ", ".join(["%s"] * 20)
    # All connections share one session there, prepared statements and all.
    with psycopg.connect(url, prepare_threshold=None) as connection, connection.cursor() as cursor:
        for offset, trade in enumerate(trades, first):
            cursor.execute(f"INSERT INTO ticks ({columns}) VALUES ({places})", cells(trade, offset))


def cells(trade: TradePrinted, offset: int) -> Sequence[Any]:
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=trade.at_ns // 1000)
    return (
        *(at, trade.at_ns, trade.seen_ns, "ticks.fast", 0, offset),
        *(trade.raw_partition, trade.raw_offset, "trade", trade.instrument, trade.venue),
        *(trade.sequence, number(trade.price, trade.price_scale)),
        *(number(trade.size, trade.size_scale), trade.price_scale, trade.size_scale),
        *(list(trade.conditions), trade.quality, trade.lane, trade.reason),
    )
