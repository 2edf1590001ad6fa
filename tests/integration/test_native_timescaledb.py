"""What only a TimescaleDB with many connections, COPY and jobs can show; WASM has none of them."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from connectors.local.stack import Endpoints
from connectors.timescale.storage import policies
from connectors.timescale.storage.refresh import refresh_candles
from connectors.timescale.storage.windows import DAY, LEVELS, TABLES, Keep, drop_after
from connectors.timescale.verifying import checking
from hadron.errors import TransientError
from tests.integration import native
from tests.integration.archiving import Bench, a_bench, wait_until
from tests.integration.inserting import rows
from tests.integration.market import assert_candles_are_those_of, market
from tests.support import T0_NS, a_trade, codec

HOUR_NS = 3600 * 10**9
TICKS = 600
COMPRESS = "SELECT compress_chunk(chunk) FROM show_chunks('ticks') AS chunk"


@pytest.fixture
def bench(stack: Endpoints, database: str, unique: str) -> Iterator[Bench]:
    native.demand(stack.database, "its statements are tested in WASM")
    with a_bench(stack.kafka, database, unique) as bench:
        yield bench


def archived(bench: Bench, values: list[bytes], topic: str = "ticks.fast") -> None:
    bench.append(topic, values)
    with bench.archive():
        wait_until(lambda: bench.rows() == len(bench.produced))


def scheduled(url: str) -> list[tuple[Any, ...]]:
    return rows(
        url,
        """SELECT hypertable_name::text, proc_name::text, (config ->> 'compress_after')::interval,
            (config ->> 'start_offset')::interval, (config ->> 'end_offset')::interval
        FROM timescaledb_information.jobs WHERE job_id >= 1000""",
    )


def test_what_the_jobs_say_keeps_refresh_before_compression_before_retention(bench: Bench) -> None:
    keep = Keep(raw=9 * DAY, ticks=30 * DAY, audit=1827 * DAY)
    with psycopg.connect(bench.database, autocommit=True) as connection:
        policies.apply(connection, keep)
    jobs = scheduled(bench.database)

    compressed = {on: age for on, what, age, *_ in jobs if what == "policy_compression"}
    refreshed = {on: (start, end) for on, what, _, start, end in jobs if "refresh" in what}
    dropped = {name: drop_after(table, keep) for name, table in TABLES.items()}

    assert set(compressed) == set(TABLES)
    assert set(refreshed) == {level.view for level in LEVELS}
    for table, age in compressed.items():
        assert age < dropped[table]
    # Candles of seconds are made from ticks: never where these are gone, and as a rule before they
    # are compressed. The others are made from candles, which stay.
    start, end = refreshed["candles_1s"]
    assert end < compressed["ticks"] < start < dropped["ticks"]
    assert [refreshed[level.view][0] for level in LEVELS[1:]] == [None] * 3
    for level in LEVELS:
        assert level.width <= refreshed[level.view][1] < compressed["ticks"]


def test_jobs_of_the_server_make_candles_compress_and_drop(bench: Bench) -> None:
    archived(bench, [codec().encode(a_trade(at_ns=T0_NS + n * HOUR_NS)) for n in range(60)])
    with psycopg.connect(bench.database, autocommit=True) as connection:
        policies.apply(connection, Keep(ticks=30 * DAY))
    native.run_jobs_now(bench.database)

    def said() -> dict[tuple[str, str], int]:
        found = rows(
            bench.database,
            """SELECT jobs.hypertable_name::text, proc_name::text, total_successes
            FROM timescaledb_information.job_stats
            JOIN timescaledb_information.jobs USING (job_id)
            WHERE proc_name IN ('policy_compression', 'policy_refresh_continuous_aggregate')""",
        )
        return {(on, what): count for on, what, count in found}

    wait_until(lambda: len(said()) == len(TABLES) + len(LEVELS) and all(said().values()))
    packed = "SELECT count(*) FROM timescaledb_information.chunks WHERE is_compressed"
    wait_until(lambda: rows(bench.database, packed) > [(0,)])

    refresh_candles(bench.database)  # what ran side by side may wait for the next time
    assert rows(bench.database, "SELECT count(*) FROM candles_1d") == [(4,)]
    assert checking.check(bench.database, codec)[0].broken == []
    assert bench.stored() == bench.produced


def test_compressed_chunks_verify_and_give_back_their_bytes(bench: Bench) -> None:
    values = [
        codec().encode(a_trade(raw_offset=n, at_ns=T0_NS + n * HOUR_NS)) for n in range(TICKS)
    ]
    archived(bench, values)

    packed = rows(bench.database, COMPRESS)

    found, count = checking.check(bench.database, codec, processes=2)
    assert len(packed) > 20
    assert (found.broken, count) == ([], TICKS)
    assert bench.stored() == bench.produced


@pytest.mark.parametrize("compressed", [False, True])
def test_chunks_that_a_superuser_drops_are_named(bench: Bench, compressed: bool) -> None:
    values = [
        codec().encode(a_trade(raw_offset=n, at_ns=T0_NS + n * HOUR_NS)) for n in range(TICKS)
    ]
    archived(bench, values)
    if compressed:
        rows(bench.database, COMPRESS)
    end = datetime.fromtimestamp(T0_NS // 10**9 // 86_400 * 86_400, UTC) + 4 * DAY

    gone = rows(
        bench.database,
        f"""SELECT drop_chunks('ticks', older_than => '{end.isoformat()}'::timestamptz,
            newer_than => '{(end - 2 * DAY).isoformat()}'::timestamptz)""",
    )

    [(first,)] = rows(
        bench.database,
        f"""SELECT min(missing) FROM generate_series(0, {TICKS - 1}) AS missing
        WHERE missing NOT IN (SELECT log_offset FROM ticks)""",
    )
    found, _ = checking.check(bench.database, codec)
    assert len(gone) == 2
    assert first > 0
    assert [(one.topic, one.partition, one.offset) for one in found.broken] == [
        (f"{bench.prefix}ticks.fast", 0, first)
    ]


def test_candles_are_exact_after_a_backfill_into_compressed_chunks(bench: Bench) -> None:
    trades = market(random.Random(11), TICKS)
    archived(bench, [codec().encode(trade) for trade in trades[: TICKS // 2]])
    refresh_candles(bench.database)
    rows(bench.database, COMPRESS)

    archived(bench, [codec().encode(trade) for trade in trades[TICKS // 2 :]], "ticks.cold")
    done = refresh_candles(bench.database)

    assert all(done[level.view] for level in LEVELS)
    assert_candles_are_those_of(bench.database, trades)
    assert checking.check(bench.database, codec)[0].broken == []


class Held:
    """A refresh of the candles of seconds that is under way until `let_go`."""

    def __init__(self, url: str) -> None:
        [(made,)] = rows(
            url,
            """SELECT format('%I.%I', materialization_hypertable_schema,
                materialization_hypertable_name)
            FROM timescaledb_information.continuous_aggregates WHERE view_name = 'candles_1s'""",
        )
        self._url = url
        self._lock = psycopg.connect(url)
        self._lock.execute(f"LOCK TABLE {made} IN SHARE UPDATE EXCLUSIVE MODE".encode())
        self._thread = threading.Thread(target=self._refresh)
        self._thread.start()
        waits = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query ~ '^CALL'"
        wait_until(lambda: rows(url, waits) != [])

    def _refresh(self) -> None:
        with psycopg.connect(self._url, autocommit=True, prepare_threshold=None) as connection:
            connection.execute(
                """CALL refresh_continuous_aggregate('candles_1s', NULL, NULL,
                    options => '{"buckets_per_batch": 0}')"""
            )

    def let_go(self) -> None:
        self._lock.close()
        self._thread.join(60)
        assert not self._thread.is_alive()


def test_a_refresh_waits_for_one_that_is_under_way(bench: Bench) -> None:
    native.stop_jobs(bench.database)
    trades = market(random.Random(12), 100)
    archived(bench, [codec().encode(trade) for trade in trades])
    other = Held(bench.database)
    done: list[Any] = []
    ours = threading.Thread(target=lambda: done.append(refresh_candles(bench.database)))
    try:
        with pytest.raises(TransientError, match="concurrent refresh"):
            refresh_candles(bench.database, patience_s=0.3)
        ours.start()
        ours.join(0.5)
        assert ours.is_alive()
    finally:
        other.let_go()
    ours.join(60)

    assert [level.view for level in LEVELS] == [*done[0]]
    assert_candles_are_those_of(bench.database, trades)
