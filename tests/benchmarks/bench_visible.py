"""From a tick's append to Kafka until its row can be read, at 1,000 ticks a second.

The archive is a process of its own, first with the default batch, then with one of 50 ms. A row
counts from when a query that finds it has answered, so the query is within.

Run: python -m tests.benchmarks.bench_visible [--seconds 20] [--rate 1000]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from threading import Event, Thread
from typing import Any

import psycopg

from hadron.partitions import partition_of
from hadron.topics import TICKS
from tests.benchmarks.bench_archive import ticks_of_lanes
from tests.benchmarks.showing import quantiles, show
from tests.integration.platform import SHARDS, Platform, platform
from tests.support import codec

Place = tuple[str, int]

BATCHES = {"default": {}, "50ms": {"HADRON_BATCH_S": "0.05"}}
_STEP_S = 0.005  # between two appends, each of as many ticks as are due
_LOOK_S = 0.003  # between two looks
_NEWEST = """
    SELECT topic, partition, newest.log_offset FROM unnest(%s::text[], %s::int[])
        AS asked (topic, partition) CROSS JOIN LATERAL (
            SELECT log_offset FROM ticks
            WHERE (log_topic, log_partition) = (asked.topic, asked.partition)
            ORDER BY log_offset DESC LIMIT 1
        ) AS newest
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--rate", type=int, default=1000, help="ticks/s")
    asked = parser.parse_args()
    result: dict[str, Any] = {"ticks_per_s": asked.rate, "seconds": asked.seconds}
    with platform("postgres") as alone:
        for name, settings in BATCHES.items():
            alone.environment |= settings
            archive = alone.start("archive")
            waits = Waits(alone)
            waits.flow(asked.rate, 3)  # they meet a process that is starting
            seen = waits.flow(asked.rate, asked.seconds)
            archive.terminate()
            archive.wait(30)
            result[f"{name}_rows"] = len(seen)
            result |= {f"{name}_ms_{q}": ms for q, ms in quantiles(seen).items()}
            result[f"{name}_ms_most"] = round(max(seen), 2)
    show(result)


class Waits:
    """Appends ticks, and waits for their rows."""

    def __init__(self, alone: Platform) -> None:
        self._log = alone.log
        assert alone.settings.database_migrate is not None
        self._url = alone.settings.database_migrate.get_secret_value()
        places = [(topic.name, shard) for topic in TICKS.values() for shard in range(SHARDS)]
        self._next: dict[Place, int] = alone.log.ends(places)
        self._seen = {place: end - 1 for place, end in self._next.items()}
        self._began: dict[tuple[Place, int], float] = {}
        self._ticks = ticks_of_lanes(10**9)

    def flow(self, rate: int, seconds: float) -> list[float]:
        """Milliseconds until each tick's row was there, of as many as are appended in a time."""
        ended, waits = Event(), list[float]()

        def append() -> None:
            began, appended = time.monotonic(), 0
            while appended < rate * seconds:
                due = int((time.monotonic() - began) * rate) + 1
                while appended < min(due, rate * seconds):
                    self._append()
                    appended += 1
                self._log.poll()
                time.sleep(_STEP_S)
            ended.set()

        producer = Thread(target=append)
        producer.start()
        with psycopg.connect(self._url, autocommit=True) as connection:
            while not ended.is_set() or self._began:
                waits += self._look(connection)
                time.sleep(_LOOK_S)
        producer.join()
        return waits

    def _append(self) -> None:
        fact = next(self._ticks)
        place = (f"ticks.{fact.lane}", partition_of(fact.instrument, SHARDS))
        value = codec().encode(fact)
        self._began[place, self._next[place]] = time.monotonic()
        self._next[place] += 1
        self._log.append(*place, [(fact.instrument, value)])

    def _look(self, connection: psycopg.Connection[Any]) -> Iterator[float]:
        topics, partitions = zip(*self._seen, strict=True)
        rows = connection.execute(_NEWEST, (list(topics), list(partitions))).fetchall()
        now = time.monotonic()
        for topic, partition, newest in rows:
            place = (topic, partition)
            for offset in range(self._seen[place] + 1, newest + 1):
                yield (now - self._began.pop((place, offset))) * 1000
            self._seen[place] = newest


if __name__ == "__main__":
    main()
