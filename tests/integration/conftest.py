"""The real services of the integration tests: one stack a session, all names a test's own."""

from __future__ import annotations

import gc
import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
import redis
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from connectors.local import stack as local
from connectors.local.stack import Endpoints
from connectors.timescale import schema
from connectors.timescale.access.roles import Access
from connectors.timescale.access.securing import secured
from connectors.timescale.storage import policies
from connectors.timescale.storage.windows import FOR_EVER, LEVELS
from hadron.variables import variable
from tests.integration import native
from tests.integration.access import an_empty_database, unbelt
from tests.integration.making_topics import make_topics
from tests.integration.wasm import timescaledb

_numbers = itertools.count()


@pytest.fixture(scope="session")
def stack() -> Iterator[Endpoints]:
    """The three servers; those that HADRON_KAFKA and the like name are used as they are."""
    external = {name: os.environ.get(variable(name), "") for name in ("kafka", "database", "redis")}
    servers: dict[str, local.Name] = {"kafka": "kafka", "database": "postgres", "redis": "valkey"}
    need = frozenset(servers[name] for name, where in external.items() if not where)
    directory = Path(tempfile.mkdtemp(prefix="hadron-tests-"))
    try:
        started = local.up(directory, need=need, progress=lambda _: None)
        yield Endpoints(
            kafka=external["kafka"] or started.kafka,
            database=external["database"] or started.database,
            redis=external["redis"] or started.redis,
        )
    finally:
        gc.collect()  # clients that nobody has any more would go on looking for their broker
        local.down(directory, progress=lambda _: None)
        shutil.rmtree(directory)


@pytest.fixture
def unique() -> str:
    """A name of this test alone, fit for topics, groups and app ids."""
    return f"t{next(_numbers)}-{uuid4().hex[:8]}"


@pytest.fixture
def make_topic(stack: Endpoints, unique: str) -> Iterator[Callable[..., str]]:
    """Create a topic of this test: `make_topic("ticks", partitions=4)`. Return its full name."""
    admin = AdminClient({"bootstrap.servers": stack.kafka})
    made: list[str] = []

    def make(name: str = "facts", *, partitions: int = 1, **config: str) -> str:
        topic = f"{unique}.{name}"
        settings = {key.replace("_", "."): value for key, value in config.items()}
        wanted = NewTopic(topic, num_partitions=partitions, replication_factor=1, config=settings)
        make_topics(admin, wanted)
        made.append(topic)
        return topic

    yield make
    if made:
        for future in admin.delete_topics(made).values():
            future.result(30)


@pytest.fixture
def database(stack: Endpoints) -> Iterator[str]:
    """The URL of an empty database of this test."""
    with an_empty_database(stack.database) as url:
        yield url


@pytest.fixture
def redis_url(stack: Endpoints) -> Iterator[str]:
    """The URL of an empty Redis database, emptied again after this test."""
    base = stack.redis.rsplit("/", 1)[0] if stack.redis.count("/") > 2 else stack.redis
    url = f"{base}/{next(_numbers) % 15 + 1}"
    with redis.Redis.from_url(url) as client:
        client.flushdb()
        yield url
        client.flushdb()


@pytest.fixture(scope="module", params=["wasm", "native"])
def kind_of_timescaledb(request: pytest.FixtureRequest) -> str:
    """The WASM build, on every machine; and the server's own, where it has the extension."""
    return str(request.param)


@pytest.fixture(scope="module")
def new_timescaledb(kind_of_timescaledb: str, request: pytest.FixtureRequest) -> native.New:
    """Makes empty databases in which TimescaleDB can be created."""
    if kind_of_timescaledb == "wasm":
        return timescaledb
    server: Endpoints = request.getfixturevalue("stack")
    native.demand(server.database, "its statements are tested in WASM")
    return lambda: an_empty_database(server.database)


@pytest.fixture(scope="module")
def timescale_server(new_timescaledb: native.New, kind_of_timescaledb: str) -> Iterator[str]:
    """The URL of a migrated database with TimescaleDB, of which no job runs by itself.

    One a file: how far aggregates were made is remembered even when all rows are gone.
    """
    with new_timescaledb() as url:
        said: list[str] = []
        schema.migrate(url, said.append)
        assert said[0].startswith("TimescaleDB 2.")
        if kind_of_timescaledb == "native":
            native.stop_jobs(url)
        yield url


@pytest.fixture
def timescale(timescale_server: str) -> str:
    """The same, with no ticks, no candles and the policies of the defaults."""
    unbelt(timescale_server)
    with psycopg.connect(timescale_server, autocommit=True) as connection:
        connection.execute("TRUNCATE ticks, audit_chain, rows_retired")
        for level in LEVELS:  # erased, as there are no ticks any more
            connection.execute(f"CALL refresh_continuous_aggregate('{level.view}', NULL, NULL)")
        policies.apply(connection, FOR_EVER)
    secured(timescale_server, Access())
    return timescale_server
