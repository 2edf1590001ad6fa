"""The archive under stress: each trial breaks something real, and asserts what must hold after it.

A trial returns its figures. Small ones run with the integration tests, full ones with `make soak`.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

from connectors.kafka import admin, groups
from connectors.kafka.connection import configuration
from connectors.local import postgres
from connectors.timescale.archiving import process
from hadron import metrics
from tests.integration.archiving import PARTITIONS, Bench, wait_until
from tests.soak.flow import Memory, flowing, kill, ticks
from tests.support import a_fill, codec

Figures = dict[str, Any]
_PATIENCE_S = 300.0
_BREAK = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE application_name = 'hadron-archive'
"""


def outage(bench: Bench, server: Path, *, down_s: float, warm_s: float, rate: int) -> Figures:
    """The database is away for `down_s` while ticks flow at `rate` a second."""
    child = bench.archive_process(group="outage")
    memory = Memory(child)
    try:
        with flowing(bench, rate):
            wait_until(lambda: bench.rows() > 0)
            time.sleep(warm_s)
            before_mib = memory.most()
            kill(server)
            time.sleep(down_s / 2)  # a commit that was under way is over
            committed = _committed(bench, "outage")
            time.sleep(down_s / 2)
            assert _committed(bench, "outage") == committed, "committed what no database has"
            down_mib = memory.most()
            postgres.start(server)
            drained = _drained(bench)
        wait_until(lambda: bench.rows() == len(bench.produced), timeout_s=_PATIENCE_S)
        drain_mib = memory.most()
    finally:
        memory.close()
        child.terminate()
        child.wait()
    whole(bench)
    return {
        "produced": len(bench.produced),
        "ingest_per_s": rate,
        "down_s": down_s,
        "memory_before_mib": before_mib,
        "memory_down_mib": down_mib,
        "memory_drain_mib": drain_mib,
        "memory_growth": round(max(down_mib, drain_mib) / before_mib - 1, 3),
        **drained,
    }


def _drained(bench: Bench) -> Figures:
    """From the first row after the outage until all that waits is stored, while more comes."""
    first = bench.rows()
    wait_until(lambda: bench.rows() > first, timeout_s=_PATIENCE_S)
    began_s, first = time.monotonic(), bench.rows()
    backlog = len(bench.produced) - first
    while (stored := bench.rows()) < len(bench.produced) * 0.999:
        assert time.monotonic() - began_s < _PATIENCE_S, "never drained"
        time.sleep(0.02)
    seconds = max(time.monotonic() - began_s, 0.02)
    return {"backlog": backlog, "drain_per_s": round((stored - first) / seconds)}


def killed_database(
    bench: Bench, server: Path, *, times: int, rate: int, chance: random.Random
) -> Figures:
    """The database is killed with `-m immediate` at random moments while ticks flow."""
    with bench.archive(), flowing(bench, rate):
        for _ in range(times):
            target = bench.rows() + chance.randrange(1, rate)
            wait_until(lambda: bench.rows() >= target, timeout_s=_PATIENCE_S)  # noqa: B023
            time.sleep(chance.random() * 0.05)
            kill(server)
            time.sleep(chance.random())
            postgres.start(server)
    with bench.archive():
        wait_until(lambda: bench.rows() == len(bench.produced), timeout_s=_PATIENCE_S)
    whole(bench)
    return {"kills": times, "produced": len(bench.produced)}


def killed_archive(bench: Bench, *, times: int, most: int, chance: random.Random) -> Figures:
    """The archive is killed with SIGKILL at some number of rows, or a little after."""
    total = 0
    for round_ in range(times):
        count = chance.randrange(most // 3, most)
        for partition in range(PARTITIONS):
            bench.append("ticks.fast", ticks(count, total), partition)
            total += count
        bench.append("orders", [codec().encode(a_fill(offset=total))])
        target = bench.rows() + chance.randrange(1, count)
        child = bench.archive_process(group=f"killed-{round_}")
        try:
            wait_until(lambda: bench.rows() >= target)  # noqa: B023
            time.sleep(chance.random() * 0.02)
        finally:
            child.kill()
            child.wait()
    with bench.archive():
        wait_until(lambda: _stored(bench) >= len(bench.produced), timeout_s=_PATIENCE_S)
    whole(bench)
    return {"kills": times, "produced": len(bench.produced)}


def forgotten_offsets(bench: Bench, *, count: int) -> Figures:
    """The group's offsets are deleted from Kafka, or point elsewhere: the database knows better."""
    kafka = admin.connect(configuration(bench.settings()))
    group = bench.prefix + process.GROUP
    for round_ in range(3):
        bench.append("ticks.fast", ticks(count, count * round_), round_ % PARTITIONS)
        with bench.archive():
            wait_until(lambda: bench.rows() == len(bench.produced))
        if round_ == 0:
            groups.delete(kafka, [group])
        else:
            places = [(f"{bench.prefix}ticks.fast", partition) for partition in range(PARTITIONS)]
            groups.reset(kafka, group, dict.fromkeys(places, 0))
    # What is read twice would show as a second row, or as an error of the unique index.
    assert bench.counts.counted[metrics.RECORDS_IN] == len(bench.produced)
    whole(bench)
    return {"produced": len(bench.produced)}


def full_disk(bench: Bench, make_room: Callable[[], object], *, rate: int) -> Figures:
    """Ticks flow until a disk of the database is full; then somebody makes room."""
    said = bench.counts
    with bench.archive():
        with flowing(bench, rate):
            wait_until(lambda: metrics.ARCHIVE_ROWS in said.counted)
            wait_until(lambda: said.gauged[metrics.ARCHIVE_UP] == 0, timeout_s=_PATIENCE_S)
            full = int(said.counted[metrics.ARCHIVE_ROWS])
            time.sleep(1)
            assert said.gauged[metrics.ARCHIVE_UP] == 0, "said that it is well on a full disk"
        make_room()
        wait_until(lambda: bench.rows() == len(bench.produced), timeout_s=_PATIENCE_S)
        wait_until(lambda: said.gauged[metrics.ARCHIVE_UP] == 1)
    whole(bench)
    return {"rows_when_full": full, "produced": len(bench.produced)}


def exhausted_pool(bench: Bench, *, rate: int) -> Figures:
    """Others take every connection that the server has, and the archive's own is broken."""
    said = bench.counts
    with bench.archive(pool_acquire_s="0.5"), flowing(bench, rate):
        wait_until(lambda: bench.rows() > 0)
        with psycopg.connect(bench.database, autocommit=True) as ours:
            others = _all_connections(bench.database)
            try:
                while said.gauged[metrics.ARCHIVE_UP]:
                    ours.execute(_BREAK)
                    others += _all_connections(bench.database)
                wait_until(lambda: said.counted.get(metrics.DATABASE_TIMEOUTS, 0) > 0)
            finally:
                for other in others:
                    other.close()
        wait_until(lambda: said.gauged[metrics.ARCHIVE_UP] == 1)
    with bench.archive():
        wait_until(lambda: bench.rows() == len(bench.produced), timeout_s=_PATIENCE_S)
    whole(bench)
    return {"others": len(others), "timeouts": said.counted[metrics.DATABASE_TIMEOUTS]}


def _all_connections(url: str) -> list[psycopg.Connection[Any]]:
    """Connections until the server has none left."""
    taken: list[psycopg.Connection[Any]] = []
    while True:
        try:
            taken.append(psycopg.connect(url))
        except psycopg.OperationalError:
            return taken


def _stored(bench: Bench) -> int:
    return bench.rows() + bench.rows("order_executions")


def whole(bench: Bench) -> None:
    """count(*) = count(distinct place) = produced, and each row gives back its bytes."""
    with psycopg.connect(bench.database) as connection:
        counts = connection.execute(
            "SELECT count(*), count(DISTINCT (log_topic, log_partition, log_offset)) FROM ticks"
        ).fetchone()
    assert counts is not None
    assert counts[0] == counts[1]
    assert _stored(bench) == len(bench.produced)
    assert bench.stored() == bench.produced


def _committed(bench: Bench, group: str) -> dict[tuple[str, int], int]:
    kafka = admin.connect(configuration(bench.settings()))
    return groups.committed(kafka, bench.prefix + group)
