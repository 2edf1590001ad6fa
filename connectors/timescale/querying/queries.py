"""Answers of the archive, as facts to work with; whole columns of them are in `frames`."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TypeVar, Unpack

import psycopg
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg.rows import class_row

from connectors.timescale.errors import our_errors
from connectors.timescale.querying import questions
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
from connectors.timescale.querying.questions import (
    LIMIT,
    Question,
    Wanted,
    WantedAlerts,
    WantedExposure,
    WantedLag,
    WantedPositions,
    WantedTicks,
)
from connectors.timescale.storage.windows import Interval

__all__ = ["LIMIT"]

T = TypeVar("T")


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
    asked = questions.candles(instrument, every=every, start=start, end=end, limit=limit)
    return answers(url, asked)


def newest_candles(
    url: str, *, count: int, every: Interval, start: datetime, end: datetime
) -> list[Candle]:
    """Of each instrument so many newest candles whose bucket begins in [start, end).

    By instrument, then oldest first.
    """
    return answers(url, questions.newest_candles(count, every=every, start=start, end=end))


def decisions(url: str, **wanted: Unpack[Wanted]) -> list[Decision]:
    """The newest decisions first, each with its terminal outcome and reason."""
    return answers(url, questions.decisions(**wanted))


def orders(url: str, **wanted: Unpack[Wanted]) -> list[Order]:
    """The newest intents that asked for an order first, each with its execution."""
    return answers(url, questions.orders(**wanted))


def positions(url: str, **wanted: Unpack[WantedPositions]) -> list[Holding]:
    """The latest of each portfolio, strategy and instrument, now or as of then."""
    return answers(url, questions.positions(**wanted))


def exposure(url: str, **wanted: Unpack[WantedExposure]) -> list[Exposure]:
    """What each portfolio has at risk, now or as of then, and the limits in force."""
    return answers(url, questions.exposure(**wanted))


def slippage(url: str, **wanted: Unpack[Wanted]) -> list[Slippage]:
    """The newest fills first, each against the price that its decision saw."""
    return answers(url, questions.slippage(**wanted))


def gaps(url: str, **wanted: Unpack[WantedTicks]) -> list[Gap]:
    """The newest ticks before which some may be missing."""
    return answers(url, questions.gaps(**wanted))


def alerts(url: str, *, raised: bool = False, **wanted: Unpack[WantedAlerts]) -> list[Alert]:
    """The newest alerts first, each with its end; `raised`: only those that are not over."""
    return answers(url, questions.alerts(raised=raised, **wanted))


def lag(url: str, **wanted: Unpack[WantedLag]) -> list[Lag]:
    """Ticks of a time by instrument: how many of which quality, and how late they came."""
    return answers(url, questions.lag(**wanted))


def newest_tick(url: str, instrument: str | None = None) -> datetime | None:
    """The time of the newest tick that is stored."""
    with our_errors(), psycopg.connect(url) as connection:
        row = connection.execute(*questions.newest_tick(instrument)).fetchone()
    return row[0] if row else None


def answers(url: str, question: Question[T]) -> list[T]:
    """All answers. Numbers have no zeros at their end."""
    with our_errors(), psycopg.connect(url, row_factory=class_row(question.kind)) as connection:
        connection.adapters.register_loader("numeric", _Trimmed)
        return connection.execute(question.statement, question.parameters).fetchall()


class _Trimmed(Loader):
    """NUMERIC(20,8) gives eight decimals, whatever was stored: `0E-8` is nothing to read."""

    def load(self, data: Buffer) -> Decimal:
        digits = bytes(data).decode()
        return Decimal(digits.rstrip("0").rstrip(".") if "." in digits else digits)
