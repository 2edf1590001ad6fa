"""The statements of TimescaleDB, run by TimescaleDB: in WASM, so on every machine."""

from __future__ import annotations

import random

import psycopg
import pytest
from psycopg.rows import dict_row

from connectors.timescale import ticks
from connectors.timescale.records import value
from connectors.timescale.storage.refresh import refresh_candles
from connectors.timescale.storage.windows import LEVELS, TABLES
from tests.integration.inserting import insert, rows
from tests.integration.market import assert_candles_are_those_of, market
from tests.support import T0_NS, a_trade, codec


def test_every_fact_table_is_a_compressed_hypertable_with_its_chunks(timescale: str) -> None:
    hypertables = rows(
        timescale,
        """SELECT hypertable_name, time_interval FROM timescaledb_information.hypertables
        JOIN timescaledb_information.dimensions USING (hypertable_schema, hypertable_name)
        WHERE compression_enabled""",
    )

    wanted = {name: table.chunk for name, table in TABLES.items()}
    assert dict(hypertables) == wanted, (
        "connectors/timescale/storage/windows.py lists every hypertable"
    )


def test_compression_fits_the_way_rows_are_read(timescale: str) -> None:
    settings = rows(
        timescale,
        """SELECT attname, segmentby_column_index, orderby_column_index
        FROM timescaledb_information.compression_settings WHERE hypertable_name = 'ticks'""",
    )

    assert settings == [("instrument", 1, None), ("at", None, 1), ("log_offset", None, 2)]


def test_candles_are_real_time_and_each_stands_on_the_one_below(timescale: str) -> None:
    views = rows(
        timescale,
        """SELECT view_name, materialized_only, hypertable_name, materialization_hypertable_name
        FROM timescaledb_information.continuous_aggregates""",
    )

    name_of = {made: view for view, _, _, made in views}
    below = {view: name_of.get(source, source) for view, _, source, _ in views}
    assert below == dict(
        zip(
            [level.view for level in LEVELS], ["ticks", *(one.view for one in LEVELS)], strict=False
        )
    )
    assert not any(only for _, only, *_ in views)


def test_candles_are_those_of_the_trades_before_and_after_a_refresh(timescale: str) -> None:
    trades = market(random.Random(7), 600)
    insert(timescale, trades[:400])
    assert_candles_are_those_of(timescale, trades[:400])

    refresh_candles(timescale)
    assert_candles_are_those_of(timescale, trades[:400])

    insert(timescale, trades[400:], 400)
    refresh_candles(timescale)
    assert_candles_are_those_of(timescale, trades)


def test_compressed_rows_give_back_their_bytes(timescale: str) -> None:
    # Equal numbers, other scales: compression by dictionary may keep only one of them.
    trades = [
        a_trade(("1.5", "1.50", "1.500")[n % 3], raw_offset=n, at_ns=T0_NS + n) for n in range(60)
    ]
    insert(timescale, trades)

    rows(timescale, "SELECT compress_chunk(chunk) FROM show_chunks('ticks') AS chunk")

    with psycopg.connect(timescale, row_factory=dict_row) as connection:
        found = connection.execute("SELECT * FROM ticks ORDER BY log_offset").fetchall()
    encoded = [value(ticks.TABLE, row, codec()) for row in found]
    assert encoded == [codec().encode(trade) for trade in trades]


def test_late_rows_go_into_compressed_chunks_once(timescale: str) -> None:
    insert(timescale, [a_trade(at_ns=T0_NS + n) for n in range(5)])
    rows(timescale, "SELECT compress_chunk(chunk) FROM show_chunks('ticks') AS chunk")

    insert(timescale, [a_trade(at_ns=T0_NS + 7)], 7)

    with pytest.raises(psycopg.errors.UniqueViolation):
        insert(timescale, [a_trade(at_ns=T0_NS + 3)], 3)
    assert rows(timescale, "SELECT count(*) FROM ticks") == [(6,)]
