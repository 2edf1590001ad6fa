"""A market of trades, and its candles as the facts alone give them."""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal

from connectors.timescale.answers import Candle
from connectors.timescale.queries import Interval
from hadron.market.facts import TradePrinted
from hadron.values import number
from tests.support import a_trade

MINUTE_NS = 60 * 10**9
START_NS = 1_700_000_040 * 10**9 // (60 * MINUTE_NS) * 60 * MINUTE_NS
WIDTH_NS: dict[Interval, int] = {"1m": MINUTE_NS, "1h": 60 * MINUTE_NS}


def market(chance: random.Random, count: int) -> list[TradePrinted]:
    """Trades over three hours, many at one nanosecond or microsecond, out of order."""
    return [
        a_trade(
            f"{chance.randrange(1, 10**5) / 100:.2f}",
            size=chance.randrange(50),
            instrument=chance.choice(["eq:A", "eq:B"]),
            at_ns=START_NS + chance.randrange(190) * MINUTE_NS + chance.randrange(3),
            raw_offset=place,
            quality=chance.choice(["live", "live", "late", "gap", "suspect"]),
        )
        for place in range(count)
    ]


def recomputed(trades: Iterable[TradePrinted], instrument: str, width_ns: int) -> list[Candle]:
    buckets: dict[int, list[TradePrinted]] = {}
    for trade in trades:
        if trade.instrument == instrument and trade.quality != "suspect":
            buckets.setdefault(trade.at_ns // width_ns, []).append(trade)
    return [candle(bucket * width_ns, instrument, buckets[bucket]) for bucket in sorted(buckets)]


def candle(start_ns: int, instrument: str, trades: list[TradePrinted]) -> Candle:
    trades.sort(key=lambda trade: (trade.at_ns, trade.raw_offset))
    prices = [number(trade.price, trade.price_scale) for trade in trades]
    volume = sum(Decimal(trade.size) for trade in trades)
    notional = sum(price * trade.size for price, trade in zip(prices, trades, strict=True))
    return Candle(
        bucket=datetime.fromtimestamp(start_ns // 10**9, UTC),
        instrument=instrument,
        open=prices[0],
        high=max(prices),
        low=min(prices),
        close=prices[-1],
        volume=Decimal(volume),
        notional=Decimal(notional),
        trades=len(trades),
        vwap=None,
    )


def without_vwap(one: Candle) -> Candle:
    """To compare with, as the mean price is rounded by the database."""
    fields = {name: getattr(one, name) for name in one.__struct_fields__}
    return Candle(**{**fields, "vwap": None})
