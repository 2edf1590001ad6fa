"""Candles of the archive as bars."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from operator import attrgetter

import numpy as np

from connectors.timescale.querying import queries
from connectors.timescale.querying.answers import Candle
from connectors.timescale.storage.windows import Interval
from hadron.errors import HadronError
from hadron.market.bars import MOST_BARS, Bars
from hadron.values import parts


def candle_bars(
    url: str,
    instrument: str,
    *,
    every: Interval,
    width_ns: int,
    start: datetime,
    end: datetime,
) -> Bars:
    """The candles that begin in [start, end). Raise HadronError if there is none.

    A volume that is no whole number is rounded down.
    """
    found = queries.candles(url, instrument, every=every, start=start, end=end, limit=MOST_BARS)
    if not found:
        raise HadronError(f"the archive has no candles of {instrument!r} of {every} in that time")
    return _bars(instrument, found, width_ns=width_ns)


def newest_bars(
    url: str, *, count: int, every: Interval, width_ns: int, start: datetime, end: datetime
) -> list[Bars]:
    """Of each instrument its newest candles that begin in [start, end), so many at most.

    In the order of the instruments' names. Volumes as of `candle_bars`.
    """
    found = queries.newest_candles(url, count=count, every=every, start=start, end=end)
    return [
        _bars(instrument, list(candles), width_ns=width_ns)
        for instrument, candles in groupby(found, key=attrgetter("instrument"))
    ]


def _bars(instrument: str, found: Sequence[Candle], *, width_ns: int) -> Bars:
    prices = [(one.open, one.high, one.low, one.close) for one in found]
    scale = max(parts(price)[1] for row in prices for price in row)
    unit = Decimal(10) ** scale
    columns = np.array([[int(price * unit) for price in row] for row in prices], np.int64).T.copy()
    opening, high, low, close = columns
    return Bars(
        instrument=instrument,
        scale=scale,
        width_ns=width_ns,
        at_ns=np.array([_ns(one.bucket) for one in found], np.int64),
        open=opening,
        high=high,
        low=low,
        close=close,
        volume=np.array([int(one.volume) for one in found], np.int64),
    )


def _ns(at: datetime) -> int:
    return round(at.timestamp()) * 10**9  # candles begin at whole seconds
