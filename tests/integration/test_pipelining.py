"""One batch is being written while the next is made: what happens to either when something breaks.

Somebody else's lock holds the writer at a known place of its transaction.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from threading import Timer

import psycopg
import pytest

from connectors.local.stack import Endpoints
from connectors.timescale.archiving.archive import MOST_ROWS
from hadron import metrics
from tests.integration.archiving import PARTITIONS, Bench, a_bench, wait_until
from tests.support import T0_NS, a_trade, codec

encode = codec().encode
WAITING = """
    SELECT pid FROM pg_stat_activity JOIN pg_locks USING (pid)
    WHERE datname = current_database() AND application_name = 'hadron-archive' AND NOT granted
"""
FIRST = 10  # rows of each partition that are written before
# In their order within a transaction: before anything, before the rows, before the chain.
PLACES = ("consumer_offsets", "ticks", "audit_chain")


@pytest.fixture
def bench(stack: Endpoints, database: str, unique: str) -> Iterator[Bench]:
    with a_bench(stack.kafka, database, unique) as bench:
        yield bench


def trades(count: int) -> list[bytes]:
    return [encode(a_trade(raw_offset=n, at_ns=T0_NS + n)) for n in range(count)]


@contextmanager
def held(bench: Bench, table: str, *, rows: int) -> Iterator[psycopg.Connection]:
    """Hold the writer at a table with one batch, while `rows` more are read for the next ones."""
    for partition in range(PARTITIONS):
        bench.append("ticks.fast", trades(FIRST), partition)
    wait_until(lambda: bench.rows() == FIRST * PARTITIONS)
    with psycopg.connect(bench.database) as holder:
        holder.execute(f"LOCK TABLE {table} IN SHARE MODE".encode())
        bench.append("ticks.fast", trades(100))
        with psycopg.connect(bench.database, autocommit=True) as watcher:
            wait_until(lambda: watcher.execute(WAITING).fetchone() is not None)
            for start in range(0, rows, 1_000):
                bench.append("ticks.fast", trades(1_000), start // 1_000 % PARTITIONS)
            yield watcher


def nothing_is_half_written(bench: Bench) -> bool:
    with psycopg.connect(bench.database) as connection:
        [(chained,)] = connection.execute("SELECT sum(records) FROM audit_chain").fetchall()
    return int(chained) == bench.rows() == FIRST * PARTITIONS


def read(bench: Bench) -> float:
    return bench.counts.counted.get(metrics.RECORDS_IN, 0)


@pytest.mark.parametrize("table", PLACES)
def test_a_batch_that_fails_is_written_before_the_one_that_was_made_meanwhile(
    bench: Bench, table: str
) -> None:
    with bench.archive():
        with held(bench, table, rows=2_000) as watcher:
            wait_until(lambda: read(bench) == len(bench.produced))
            for (pid,) in watcher.execute(WAITING).fetchall():
                watcher.execute("SELECT pg_terminate_backend(%s)", (pid,))
            wait_until(lambda: bench.counts.gauged.get(metrics.ARCHIVE_UP) == 0)
            assert nothing_is_half_written(bench)
        wait_until(lambda: bench.rows() == len(bench.produced))

    assert bench.stored() == bench.produced
    chained = "SELECT number, first_offset FROM audit_chain WHERE partition = 0 ORDER BY 2"
    with psycopg.connect(bench.database) as connection:
        numbers = [number for number, _ in connection.execute(chained.encode())]
    assert numbers == list(range(len(numbers)))


def test_what_is_read_ahead_of_a_writer_that_waits_is_bounded(bench: Bench) -> None:
    with bench.archive():
        with held(bench, "ticks", rows=2 * MOST_ROWS):
            wait_until(lambda: read(bench) >= MOST_ROWS)
            time.sleep(1)  # it would go on now
            assert read(bench) <= FIRST * PARTITIONS + 100 + MOST_ROWS
        wait_until(lambda: bench.rows() == len(bench.produced))

    assert bench.stored() == bench.produced


def test_partitions_that_go_to_another_archive_while_a_batch_is_written(bench: Bench) -> None:
    with bench.archive(), ExitStack() as other:
        with held(bench, "ticks", rows=2_000):
            wait_until(lambda: read(bench) == len(bench.produced))
            other.enter_context(bench.archive())
            # It has the half of them, and reads again what the first one had ready.
            wait_until(lambda: read(bench) > len(bench.produced))
            for partition in range(PARTITIONS):
                bench.append("ticks.fast", trades(500), partition)
        wait_until(lambda: bench.rows() == len(bench.produced))

    assert bench.stored() == bench.produced


def test_a_stop_waits_for_the_batch_that_is_written_and_for_the_one_that_is_made(
    bench: Bench,
) -> None:
    with ExitStack() as hold, bench.archive():
        hold.enter_context(held(bench, "ticks", rows=2_000))
        wait_until(lambda: read(bench) == len(bench.produced))
        Timer(1, hold.close).start()  # it is asked to stop before

    assert bench.stored() == bench.produced


@pytest.mark.parametrize("table", PLACES)
def test_killed_at_a_place_of_its_transaction_it_loses_and_doubles_nothing(
    bench: Bench, table: str
) -> None:
    child = bench.archive_process(group="killed")
    try:
        with held(bench, table, rows=2_000):
            time.sleep(0.2)  # it reads on
            child.kill()
            child.wait()
            assert nothing_is_half_written(bench)
    finally:
        child.kill()
        child.wait()

    with bench.archive():
        wait_until(lambda: bench.rows() == len(bench.produced))

    assert bench.stored() == bench.produced
