"""The statements of TimescaleDB, run by TimescaleDB: in WASM, so on every machine."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from connectors.timescale import queries, schema, tables, ticks
from connectors.timescale.queries import Interval
from connectors.timescale.records import value
from connectors.timescale.refresh import refresh_candles
from hadron.market.facts import TradePrinted
from hadron.values import number
from tests.integration.market import START_NS, WIDTH_NS, market, recomputed, without_vwap
from tests.integration.wasm import timescaledb
from tests.support import T0_NS, a_trade, codec

START = datetime.fromtimestamp(START_NS // 10**9, UTC)
TABLES = set(tables.TABLES)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with timescaledb() as url:
        said: list[str] = []
        schema.migrate(url, said.append)
        assert said[0].startswith("TimescaleDB 2.")
        yield url


@pytest.fixture
def url(server: str) -> str:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("TRUNCATE ticks")
    far = timedelta(days=10_000)
    refresh_candles(server, START - far, START + far)
    return server


def rows(url: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(query.encode()).fetchall()


def insert(url: str, trades: Iterable[TradePrinted], first: int = 0) -> None:
    """This server has no COPY over its socket."""
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


def assert_candles_are_those_of(url: str, trades: list[TradePrinted]) -> None:
    intervals: tuple[Interval, ...] = ("1m", "1h")
    for interval in intervals:
        for instrument in ("eq:A", "eq:B"):
            found = queries.candles(
                url,
                instrument,
                interval=interval,
                start=START - timedelta(days=1),
                end=START + timedelta(days=1),
            )
            expected = recomputed(trades, instrument, WIDTH_NS[interval])
            assert [without_vwap(one) for one in found] == expected


def test_every_fact_table_is_a_compressed_hypertable_that_drops_nothing(server: str) -> None:
    hypertables = rows(
        server,
        "SELECT hypertable_name, compression_enabled FROM timescaledb_information.hypertables",
    )
    jobs = rows(
        server,
        """SELECT hypertable_name, proc_name, config ->> 'compress_after'
        FROM timescaledb_information.jobs WHERE hypertable_name IS NOT NULL""",
    )

    assert dict(hypertables) == dict.fromkeys(TABLES, True)
    assert not [table for table, kind, *_ in jobs if kind == "policy_retention"]
    assert {table for table, kind, *_ in jobs if kind == "policy_compression"} == TABLES


def test_chunks_and_compression_fit_the_way_rows_are_read(server: str) -> None:
    chunks = rows(
        server,
        "SELECT hypertable_name, time_interval FROM timescaledb_information.dimensions",
    )
    settings = rows(
        server,
        """SELECT attname, segmentby_column_index, orderby_column_index
        FROM timescaledb_information.compression_settings WHERE hypertable_name = 'ticks'""",
    )

    assert dict(chunks)["ticks"] == timedelta(days=1)
    assert dict(chunks)["order_intents"] == timedelta(days=7)
    assert settings == [("instrument", 1, None), ("at", None, 1), ("log_offset", None, 2)]


def test_candles_are_real_time_on_both_layers_and_refreshed(server: str) -> None:
    views = rows(
        server,
        "SELECT view_name, materialized_only FROM timescaledb_information.continuous_aggregates",
    )
    [(policies,)] = rows(
        server,
        """SELECT count(*) FROM timescaledb_information.jobs
        WHERE proc_name = 'policy_refresh_continuous_aggregate'""",
    )

    assert dict(views) == {"candles_1m": False, "candles_1h": False}
    assert policies == 2


def test_candles_are_those_of_the_trades_before_and_after_a_refresh(url: str) -> None:
    trades = market(random.Random(7), 600)
    insert(url, trades[:400])
    assert_candles_are_those_of(url, trades[:400])

    refresh_candles(url, START, START + timedelta(hours=2))
    assert_candles_are_those_of(url, trades[:400])

    insert(url, trades[400:], 400)
    refresh_candles(url, START, START + timedelta(hours=5))
    assert_candles_are_those_of(url, trades)


def test_compressed_rows_give_back_their_bytes(url: str) -> None:
    # Equal numbers, other scales: compression by dictionary may keep only one of them.
    trades = [
        a_trade(("1.5", "1.50", "1.500")[n % 3], raw_offset=n, at_ns=T0_NS + n) for n in range(60)
    ]
    insert(url, trades)

    rows(url, "SELECT compress_chunk(chunk) FROM show_chunks('ticks') AS chunk")

    with psycopg.connect(url, row_factory=dict_row) as connection:
        found = connection.execute("SELECT * FROM ticks ORDER BY log_offset").fetchall()
    encoded = [value(ticks.TABLE, row, codec()) for row in found]
    assert encoded == [codec().encode(trade) for trade in trades]


def test_late_rows_go_into_compressed_chunks_once(url: str) -> None:
    insert(url, [a_trade(at_ns=T0_NS + n) for n in range(5)])
    rows(url, "SELECT compress_chunk(chunk) FROM show_chunks('ticks') AS chunk")

    insert(url, [a_trade(at_ns=T0_NS + 7)], 7)

    with pytest.raises(psycopg.errors.UniqueViolation):
        insert(url, [a_trade(at_ns=T0_NS + 3)], 3)
    assert rows(url, "SELECT count(*) FROM ticks") == [(6,)]
