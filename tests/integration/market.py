"""A market of trades, and its candles as the facts alone give them."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
import psycopg

from connectors.timescale.querying import queries
from connectors.timescale.querying.answers import Candle
from connectors.timescale.storage.windows import LEVELS, Interval
from hadron.market.facts import TradePrinted
from hadron.values import number
from tests.support import a_trade

MINUTE_NS = 60 * 10**9
START_NS = 1_700_000_040 * 10**9 // (60 * MINUTE_NS) * 60 * MINUTE_NS
DAY_NS = 24 * 60 * MINUTE_NS
WIDTH_NS: dict[Interval, int] = {
    level.interval: round(level.width.total_seconds()) * 10**9 for level in LEVELS
}
VENUES = ("massive", "coinbase")
Rank = Mapping[str, int]


def market(chance: random.Random, count: int) -> list[TradePrinted]:
    """Trades of three hours on three days, out of order, many at one second or nanosecond, and some
    of two venues at one place of their raw logs."""
    trades: list[TradePrinted] = []
    while len(trades) < count:
        place = len(trades) // 2
        time_ns = START_NS + chance.randrange(3) * DAY_NS + chance.randrange(38) * 5 * MINUTE_NS
        time_ns += chance.randrange(3) * 10**9 + chance.randrange(2)
        instrument = chance.choice(["eq:A", "eq:B"])
        trades += [
            a_trade(
                f"{chance.randrange(1, 10**5) / 100:.2f}",
                size=chance.randrange(50),
                instrument=instrument,
                venue=venue,
                at_ns=time_ns,
                raw_offset=place,
                quality=chance.choice(["live", "live", "late", "gap", "suspect"]),
            )
            for venue in chance.choice([VENUES, VENUES[::-1], VENUES[:1]])
        ]
    return trades[:count]


def ranked(url: str) -> Rank:
    """Which of two venues is first at one time and place: the database's choice, ever the same."""
    with psycopg.connect(url, prepare_threshold=None) as connection:
        query = "SELECT venue, hashtext(venue) FROM unnest(%s::text[]) AS venue"
        return dict(connection.execute(query, [list(VENUES)]).fetchall())


def recomputed(
    trades: Iterable[TradePrinted], instrument: str, width_ns: int, rank: Rank
) -> list[Candle]:
    """The candles of an instrument, each from all its trades, with exact numbers."""
    buckets: dict[int, list[TradePrinted]] = {}
    for trade in trades:
        if trade.instrument == instrument and trade.quality != "suspect":
            buckets.setdefault(trade.at_ns // width_ns, []).append(trade)
    for found in buckets.values():
        found.sort(key=lambda trade: (trade.at_ns, trade.raw_offset, rank[trade.venue]))
    return [candle(bucket * width_ns, instrument, buckets[bucket]) for bucket in sorted(buckets)]


def candle(start_ns: int, instrument: str, trades: list[TradePrinted]) -> Candle:
    prices = [number(trade.price, trade.price_scale) for trade in trades]
    volume = sum((Decimal(trade.size) for trade in trades), Decimal(0))
    notional = sum((p * trade.size for p, trade in zip(prices, trades, strict=True)), Decimal(0))
    return Candle(
        bucket=datetime.fromtimestamp(start_ns // 10**9, UTC),
        instrument=instrument,
        open=prices[0],
        high=max(prices),
        low=min(prices),
        close=prices[-1],
        volume=volume,
        notional=notional,
        trades=len(trades),
        vwap=notional / volume if volume else None,
    )


def assert_same(found: Sequence[Candle], expected: Sequence[Candle]) -> None:
    """All is equal, the mean price but for what the database rounds."""
    assert [one.bucket for one in found] == [one.bucket for one in expected]
    for one, other in zip(found, expected, strict=True):
        assert one == msgspec.structs.replace(other, vwap=one.vwap)
        if one.vwap is None or other.vwap is None:
            assert one.vwap is other.vwap
        else:
            assert abs(one.vwap - other.vwap) <= Decimal("1e-12")


def assert_candles_are_those_of(url: str, trades: list[TradePrinted]) -> None:
    """At every width, whatever was refreshed."""
    rank, day = ranked(url), timedelta(days=1)
    first = datetime.fromtimestamp(START_NS // 10**9, UTC)
    for level in LEVELS:
        for instrument in ("eq:A", "eq:B"):
            found = queries.candles(
                url,
                instrument,
                every=level.interval,
                start=first - day,
                end=first + 5 * day,
                limit=100_000,
            )
            assert_same(found, recomputed(trades, instrument, WIDTH_NS[level.interval], rank))
