"""The trials of `make soak`, small: whatever breaks, each record is stored once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from connectors.local import postgres
from connectors.local.stack import Endpoints
from tests.integration.archiving import Bench, a_bench
from tests.soak import trials
from tests.soak.chunk import dropped_chunk
from tests.soak.disk import database_on, server_on, small_disk
from tests.soak.flow import own_server, seeded


@pytest.fixture
def bench(stack: Endpoints, database: str, unique: str) -> Iterator[Bench]:
    with a_bench(stack.kafka, database, unique) as bench:
        yield bench


@contextmanager
def breakable(stack: Endpoints, unique: str) -> Iterator[tuple[Bench, Path]]:
    with own_server() as server, a_bench(stack.kafka, postgres.start(server), unique) as bench:
        yield bench, server


def test_a_database_that_is_away_costs_neither_records_nor_memory(
    stack: Endpoints, unique: str
) -> None:
    with breakable(stack, unique) as (bench, server):
        found = trials.outage(bench, server, down_s=4, warm_s=3, rate=2_000)

    assert found["drain_per_s"] >= 2 * found["ingest_per_s"]
    assert found["memory_growth"] <= 0.2


def test_a_database_killed_again_and_again_loses_nothing(stack: Endpoints, unique: str) -> None:
    with breakable(stack, unique) as (bench, server):
        trials.killed_database(bench, server, times=3, rate=2_000, chance=seeded(None))


def test_offsets_that_kafka_forgot_are_those_of_the_database(bench: Bench) -> None:
    trials.forgotten_offsets(bench, count=2_000)


def test_a_chunk_that_a_superuser_drops_is_named_and_comes_back(bench: Bench) -> None:
    dropped_chunk(bench, count=1_500)


def test_a_full_disk_is_waited_for_and_told(stack: Endpoints, unique: str) -> None:
    with (
        small_disk(mib=48, ballast_mib=32) as (disk, ballast),
        database_on(disk, stack.database) as database,
        a_bench(stack.kafka, database, unique) as bench,
    ):
        trials.full_disk(bench, ballast.unlink, rate=5_000)

        assert bench.alarms.changes.count(("disk", True)) == 1
        assert bench.alarms.now.keys() <= {"slow"}


def test_a_database_that_ends_because_its_log_is_full_is_waited_for(
    stack: Endpoints, unique: str
) -> None:
    def make_room() -> None:
        ballast.unlink()
        postgres.start(server)

    with (
        small_disk(mib=144, ballast_mib=64) as (disk, ballast),
        server_on(disk) as server,
        a_bench(stack.kafka, postgres.start(server), unique) as bench,
    ):
        trials.full_disk(bench, make_room, rate=5_000)


def test_a_server_without_connections_is_waited_for_and_told(stack: Endpoints, unique: str) -> None:
    with own_server() as server:
        with psycopg.connect(postgres.start(server), autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET max_connections = 12")
        postgres.stop(server)
        with a_bench(stack.kafka, postgres.start(server), unique) as bench:
            trials.exhausted_pool(bench, rate=1_000)

            assert bench.alarms.changes.count(("connections", True)) == 1
            assert bench.alarms.now.keys() <= {"slow"}
