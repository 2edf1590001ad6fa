"""Candles of the database equal those recomputed from the facts, also where times are equal."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from connectors.local.stack import Endpoints
from connectors.timescale.querying import queries
from connectors.timescale.querying.answers import Candle
from connectors.timescale.querying.bars import candle_bars, newest_bars
from connectors.timescale.storage.refresh import refresh_candles
from connectors.timescale.storage.windows import LEVELS, Interval
from hadron.errors import HadronError
from hadron.market.barring import bars_of
from tests.integration import native
from tests.integration.archiving import Bench, a_bench, wait_until
from tests.integration.market import (
    MINUTE_NS,
    START_NS,
    WIDTH_NS,
    assert_same,
    market,
    ranked,
    recomputed,
)
from tests.support import a_trade, codec


@pytest.fixture
def bench(stack: Endpoints, database: str, unique: str) -> Iterator[Bench]:
    with a_bench(stack.kafka, database, unique) as bench:
        yield bench


def test_candles_are_those_of_the_trades(bench: Bench) -> None:
    trades = market(random.Random(7), 3_000)
    bench.append("ticks.fast", [codec().encode(trade) for trade in trades[::2]], 0)
    bench.append("ticks.cold", [codec().encode(trade) for trade in trades[1::2]], 0)

    with bench.archive():
        wait_until(lambda: bench.rows() == len(trades))

    rank = ranked(bench.database)
    for level in LEVELS:
        for instrument in ("eq:A", "eq:B"):
            found = all_candles(bench.database, instrument, level.interval)
            expected = recomputed(trades, instrument, WIDTH_NS[level.interval], rank)
            assert_same(found, expected)


def test_prices_of_an_hour_are_a_view_that_people_know(bench: Bench) -> None:
    trades = [
        a_trade(price, size=size, at_ns=START_NS + n, raw_offset=n)
        for n, (price, size) in enumerate([("10", 1), ("12", 2), ("11", 1)])
    ]
    bench.append("ticks.fast", [codec().encode(trade) for trade in trades])
    with bench.archive():
        wait_until(lambda: bench.rows() == len(trades))

    with psycopg.connect(bench.database) as connection:
        query = "SELECT instrument, open, high, low, close, volume, vwap, trades FROM prices_1h"
        [row] = connection.execute(query).fetchall()

    assert row == ("eq:AAPL", 10, 12, 10, 11, 4, Decimal("11.25"), 3)


def all_candles(url: str, instrument: str, every: Interval) -> list[Candle]:
    start, end = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
    return queries.candles(url, instrument, every=every, start=start, end=end, limit=100_000)


def test_the_newest_candles_of_a_window_are_given_oldest_first(bench: Bench) -> None:
    trades = [a_trade(at_ns=START_NS + n * MINUTE_NS, raw_offset=n) for n in range(10)]
    bench.append("ticks.fast", [codec().encode(trade) for trade in trades])
    with bench.archive():
        wait_until(lambda: bench.rows() == len(trades))

    found = queries.candles(
        bench.database,
        "eq:AAPL",
        every="1m",
        start=datetime.fromtimestamp(START_NS // 10**9 + 60, UTC),
        end=datetime.fromtimestamp(START_NS // 10**9 + 480, UTC),
        limit=3,
    )

    assert [one.bucket.minute for one in found] == [5, 6, 7]


def test_candles_are_the_bars_that_trades_make(bench: Bench) -> None:
    chance = random.Random(3)
    trades = [
        a_trade(
            f"{chance.randrange(1_000, 2_000) / 100:.{2 + n % 2}f}",
            at_ns=START_NS + n * 17 * 10**9 + n // 40 * 5 * MINUTE_NS,
            size=chance.randrange(1, 99),
            raw_offset=n,
        )
        for n in range(200)
    ]
    bench.append("ticks.fast", [codec().encode(trade) for trade in trades])
    with bench.archive():
        wait_until(lambda: bench.rows() == len(trades))

    found = candle_bars(
        bench.database,
        "eq:AAPL",
        every="1m",
        width_ns=MINUTE_NS,
        start=datetime(2000, 1, 1, tzinfo=UTC),
        end=datetime(2100, 1, 1, tzinfo=UTC),
    )

    made = bars_of("eq:AAPL", trades, width_ns=MINUTE_NS)
    assert len(found) > 50
    for name in ("at_ns", "volume"):
        assert getattr(found, name).tolist() == getattr(made, name).tolist()
    for name in ("open", "high", "low", "close"):
        prices = getattr(found, name) / found.unit
        assert prices.tolist() == (getattr(made, name) / made.unit).tolist()


def test_the_newest_bars_of_all_instruments_are_those_of_each(bench: Bench) -> None:
    chance = random.Random(5)
    trades = [
        a_trade(
            f"{chance.randrange(1_000, 2_000) / 100:.2f}",
            instrument=f"eq:S{n % 3}",
            at_ns=START_NS + n * 40 * 10**9,
            raw_offset=n,
        )
        for n in range(120)
    ]
    bench.append("ticks.fast", [codec().encode(trade) for trade in trades])
    with bench.archive():
        wait_until(lambda: bench.rows() == len(trades))
    asked: Any = {
        "every": "1m",
        "width_ns": MINUTE_NS,
        "start": datetime(2000, 1, 1, tzinfo=UTC),
        "end": datetime.fromtimestamp((START_NS + 60 * MINUTE_NS) / 1e9, UTC),
    }

    found = newest_bars(bench.database, count=7, **asked)

    alone = [candle_bars(bench.database, f"eq:S{n}", **asked)[-7:] for n in range(3)]
    assert [bars.instrument for bars in found] == ["eq:S0", "eq:S1", "eq:S2"]
    for bars, same in zip(found, alone, strict=True):
        for name in ("at_ns", "open", "high", "low", "close", "volume"):
            assert getattr(bars, name).tolist() == getattr(same, name).tolist()
        assert len(bars) == 7


def test_there_are_no_bars_of_an_instrument_without_candles(bench: Bench) -> None:
    with pytest.raises(HadronError, match="the archive has no candles of 'eq:NONE' of 1h"):
        candle_bars(
            bench.database,
            "eq:NONE",
            every="1h",
            width_ns=60 * MINUTE_NS,
            start=datetime(2000, 1, 1, tzinfo=UTC),
            end=datetime(2100, 1, 1, tzinfo=UTC),
        )


def test_the_server_with_timescaledb_refreshes_its_candles(bench: Bench) -> None:
    native.demand(bench.database, "its statements are tested in WASM")
    with psycopg.connect(bench.database, autocommit=True) as connection:
        native.stop_jobs(bench.database)  # they might be there first
        trades = market(random.Random(8), 1_000)
        bench.append("ticks.fast", [codec().encode(trade) for trade in trades])
        with bench.archive():
            wait_until(lambda: bench.rows() == len(trades))
        query = "SELECT * FROM candles_1h ORDER BY instrument, bucket"
        before = connection.execute(query).fetchall()

        done = refresh_candles(bench.database)

        assert all(done[level.view] for level in LEVELS)
        assert connection.execute(query).fetchall() == before
