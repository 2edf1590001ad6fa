"""The trial of a superuser who drops a chunk: verifying names it, rebuilding brings it back."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import psycopg

from connectors.kafka import admin
from connectors.kafka.connection import configuration
from connectors.timescale.access.securing import secured
from connectors.timescale.querying import queries
from connectors.timescale.querying.answers import Candle
from connectors.timescale.rebuilding.rebuild import Rebuilt, Work, rebuild
from connectors.timescale.rebuilding.sources import Kafka, Sources
from connectors.timescale.schema import timescale_version
from connectors.timescale.storage.refresh import refresh_candles
from connectors.timescale.storage.windows import LEVELS
from connectors.timescale.verifying import checking
from tests.integration.access import ACCESS, unbelt
from tests.integration.archiving import PARTITIONS, Bench, Place, wait_until
from tests.soak.trials import Figures, whole
from tests.support import T0_NS, a_trade, codec

DAYS = 3
_DAY = timedelta(days=1)
_SECOND = datetime.fromtimestamp(T0_NS // 10**9 // 86_400 * 86_400, UTC) + _DAY
_COMPRESS = "SELECT compress_chunk(chunk) FROM show_chunks('ticks') AS chunk"
_DROP = "SELECT drop_chunks('ticks', newer_than => %(start)s, older_than => %(end)s)"
# Without TimescaleDB all ticks are one table: the same day goes.
_DELETE = "DELETE FROM ticks WHERE at >= %(start)s AND at < %(end)s"


def dropped_chunk(bench: Bench, *, count: int) -> Figures:
    """Of ticks of three days, `count` on each partition, compressed where that is, a day goes."""
    for partition in range(PARTITIONS):
        bench.append("ticks.fast", _ticks(count), partition)
    with bench.archive():
        wait_until(lambda: bench.rows() == len(bench.produced), timeout_s=300)
    refresh_candles(bench.database)
    before = _candles(bench.database)

    _drop(bench.database)
    gone = _gone(bench)
    took = _named(bench, gone) | _restored(bench, gone)

    assert _candles(bench.database) == before
    whole(bench)
    return {"produced": len(bench.produced), "dropped": len(gone), **took}


def _named(bench: Bench, gone: list[Place]) -> Figures:
    began_s = time.monotonic()
    found, _ = checking.check(bench.database, codec, processes=2)
    seconds = time.monotonic() - began_s
    named = [(one.topic, one.partition, one.offset) for one in found.broken]
    assert named[0] == gone[0], (named, gone[0])
    assert {place[:2] for place in named} == {place[:2] for place in gone}
    return {"named": len(named), "verify_s": round(seconds, 2)}


def _restored(bench: Bench, gone: list[Place]) -> Figures:
    began_s = time.monotonic()
    swapped = _rebuilt(bench).tables["ticks"]  # whole stretches, in which some may be right
    refresh_candles(bench.database)
    seconds = time.monotonic() - began_s
    assert swapped.inserted - swapped.deleted == len(gone)
    assert checking.check(bench.database, codec)[0].broken == []
    return {"rebuild_s": round(seconds, 2)}


def _ticks(count: int) -> list[bytes]:
    """Spread evenly over the days that begin with the one of T0."""
    step = DAYS * 86_400 * 10**9 // count
    return [codec().encode(a_trade(raw_offset=n, at_ns=T0_NS + n * step)) for n in range(count)]


def _drop(url: str) -> None:
    """The second day, as a superuser who takes the seat belt off and puts it on again."""
    extended = timescale_version(url) is not None
    unbelt(url)
    with psycopg.connect(url, autocommit=True) as connection:
        if extended:
            connection.execute(_COMPRESS)
        query = _DROP if extended else _DELETE
        connection.execute(query, {"start": _SECOND, "end": _SECOND + _DAY})
    secured(url, ACCESS)


def _gone(bench: Bench) -> list[Place]:
    """What was produced and has no row, in order."""
    with psycopg.connect(bench.database) as connection:
        query = "SELECT log_topic, log_partition, log_offset FROM ticks"
        there = set(connection.execute(query).fetchall())
    gone = sorted(set(bench.produced) - there)
    assert gone
    assert there
    return gone


def _candles(url: str) -> list[Candle]:
    return [
        one
        for level in LEVELS[1:]
        for one in queries.candles(
            url,
            "eq:AAPL",
            every=level.interval,
            start=_SECOND - 2 * _DAY,
            end=_SECOND + 5 * _DAY,
            limit=100_000,
        )
    ]


def _rebuilt(bench: Bench) -> Rebuilt:
    connection = configuration(bench.settings())
    kafka = Kafka(connection, admin.connect(connection), PARTITIONS)
    return rebuild(Work(bench.database, Sources(kafka), bench.topics, codec(), bench.counts))
