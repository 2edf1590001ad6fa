"""Candles of the database equal those recomputed from the facts, also where times are equal."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime

import psycopg
import pytest

from connectors.local.stack import Endpoints
from connectors.timescale import queries
from connectors.timescale.queries import Interval
from tests.integration.archiving import Bench, a_bench, wait_until
from tests.integration.market import MINUTE_NS, START_NS, WIDTH_NS, market, recomputed, without_vwap
from tests.support import a_trade, codec


@pytest.fixture
def bench(stack: Endpoints, database: str, unique: str) -> Iterator[Bench]:
    with a_bench(stack.kafka, database, unique) as bench:
        yield bench


@pytest.mark.parametrize("interval", ["1m", "1h"])
def test_candles_are_those_of_the_trades(bench: Bench, interval: Interval) -> None:
    trades = market(random.Random(7), 3_000)
    bench.append("ticks.fast", [codec().encode(trade) for trade in trades[::2]], 0)
    bench.append("ticks.cold", [codec().encode(trade) for trade in trades[1::2]], 0)

    with bench.archive():
        wait_until(lambda: bench.rows() == len(trades))

    for instrument in ("eq:A", "eq:B"):
        found = queries.candles(
            bench.database,
            instrument,
            interval=interval,
            start=datetime(2000, 1, 1, tzinfo=UTC),
            end=datetime(2100, 1, 1, tzinfo=UTC),
        )
        expected = recomputed(trades, instrument, WIDTH_NS[interval])
        assert [without_vwap(one) for one in found] == expected
        for one in found:
            mean = one.notional / one.volume if one.volume else None
            assert one.vwap == pytest.approx(mean)


def test_the_newest_candles_of_a_window_are_given_oldest_first(bench: Bench) -> None:
    trades = [a_trade(at_ns=START_NS + n * MINUTE_NS, raw_offset=n) for n in range(10)]
    bench.append("ticks.fast", [codec().encode(trade) for trade in trades])
    with bench.archive():
        wait_until(lambda: bench.rows() == len(trades))

    found = queries.candles(
        bench.database,
        "eq:AAPL",
        interval="1m",
        start=datetime.fromtimestamp(START_NS // 10**9 + 60, UTC),
        end=datetime.fromtimestamp(START_NS // 10**9 + 480, UTC),
        limit=3,
    )

    assert [one.bucket.minute for one in found] == [5, 6, 7]


def test_the_server_with_timescaledb_refreshes_its_candles(bench: Bench) -> None:
    with psycopg.connect(bench.database, autocommit=True) as connection:
        listed = "SELECT 1 FROM pg_available_extensions WHERE name = 'timescaledb'"
        if connection.execute(listed).fetchone() is None:
            pytest.skip("this PostgreSQL has no TimescaleDB; its statements are tested in WASM")
        trades = market(random.Random(8), 1_000)
        bench.append("ticks.fast", [codec().encode(trade) for trade in trades])
        with bench.archive():
            wait_until(lambda: bench.rows() == len(trades))
        query = "SELECT * FROM candles_1h ORDER BY instrument, bucket"
        before = connection.execute(query).fetchall()

        for view in ("candles_1m", "candles_1h"):
            connection.execute(f"CALL refresh_continuous_aggregate('{view}', NULL, NULL)")

        assert connection.execute(query).fetchall() == before
