"""How fast ticks get from Kafka into PostgreSQL, exactly once, and how slow row by row would be.

Straight, with every row there already, and with every other row there; decoding and the chain of
hashes included.

Run: python -m tests.benchmarks.bench_archive [--records 300000]
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Iterator, Sequence
from threading import Event
from typing import Any

import psycopg
from psycopg import sql

from connectors.http.health import Health
from connectors.kafka.log import KafkaLog
from connectors.timescale import ticks
from connectors.timescale.archiving import process
from hadron import metrics
from hadron.market.facts import Tick
from hadron.partitions import partition_of
from tests.alarms import Heard
from tests.benchmarks.measuring import server, server_cpu_s
from tests.benchmarks.showing import show
from tests.integration.access import unbelt
from tests.integration.platform import SHARDS, Platform, platform
from tests.support import T0_NS, a_quote, a_trade, codec

SAMPLE = 10_000  # rows that are inserted one by one


class Watch:
    """A Telemetry that notes when rows began and ended to come, and stops the archive."""

    def __init__(self, rows: int) -> None:
        self.stop = Event()
        self.began = self.ended = self.cpu_s = 0.0
        self.stored = self.batches = self.checked = 0
        self._rows = rows

    def count(self, name: str, amount: float = 1, **labels: str) -> None:
        if name == metrics.RECORDS_IN and not self.began:
            self.began, self.cpu_s = time.monotonic(), time.process_time()
        if name == metrics.ARCHIVE_BATCHES:
            self.batches += 1
            self.checked += labels["way"] == "checked"
        if name in (metrics.ARCHIVE_ROWS, metrics.ARCHIVE_REPEATED):
            self.stored += int(amount)
            if self.stored >= self._rows and not self.ended:
                self.ended, self.cpu_s = time.monotonic(), time.process_time() - self.cpu_s
                self.stop.set()

    def gauge(self, name: str, value: float, **labels: str) -> None: ...

    def observe(self, name: str, value: float, **labels: str) -> None: ...


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=300_000)
    records = parser.parse_args().records
    with platform("postgres") as alone:
        assert alone.settings.database_migrate is not None
        url = alone.settings.database_migrate.get_secret_value()
        produce(alone.log, records)
        result = {"database": server(url), "records": records} | _archive(
            alone, records, "straight"
        )
        unbelt(url)
        _execute(url, "DELETE FROM consumer_offsets")
        result |= _archive(alone, records, "all_repeated")
        # Each batch has new rows and old ones, so none ever goes straight in.
        _execute(url, "DELETE FROM consumer_offsets; DELETE FROM ticks WHERE log_offset % 2 = 0")
        _execute(url, "VACUUM ticks")
        result |= _archive(alone, records, "half_repeated")
        result |= _inserts(url)
    show(result)


def archived(alone: Platform, records: int, *, group: str) -> Watch:
    """Run the archive in this process until so many rows are stored; what was seen meanwhile."""
    watch = Watch(records)
    process.run(
        alone.settings,
        codec=codec(),
        telemetry=watch,
        pulse=Health("archive", "bench"),
        alarms=Heard(),
        stop=watch.stop,
        group=group,
    )
    return watch


def _archive(alone: Platform, records: int, name: str) -> dict[str, Any]:
    before = server_cpu_s(alone.directory)
    watch = archived(alone, records, group=name)
    spent = server_cpu_s(alone.directory)
    cpu_s = {"archive": watch.cpu_s, **{of: spent[of] - before[of] for of in spent}}
    return {
        f"{name}_rows_per_s": round(records / (watch.ended - watch.began)),
        f"{name}_batches": f"{watch.batches}, of them {watch.checked} checked",
        # What is left of a figure where others use the cores, too.
        **{f"{name}_{of}_cpu_us": round(s / records * 1e6, 2) for of, s in cpu_s.items()},
        f"{name}_peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def _execute(url: str, statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statements.encode())


def produce(log: KafkaLog, records: int) -> None:
    """Ticks of all lanes, a quarter of them trades."""
    encode = codec().encode
    for number, fact in enumerate(ticks_of_lanes(records)):
        partition = partition_of(fact.instrument, SHARDS)
        log.append(f"ticks.{fact.lane}", partition, [(fact.instrument, encode(fact))])
        if number % 1000 == 0:
            log.poll()
    log.flush(60)


def ticks_of_lanes(records: int) -> Iterator[Tick]:
    lanes = ("fast", "warm", "warm", "cold")
    for n in range(records):
        shared: dict[str, Any] = {
            "raw_offset": n,
            "instrument": f"eq:S{n % 23}",
            "at_ns": T0_NS + n * 100_000,
            "seen_ns": T0_NS + n * 100_000 + 3_000_000,
            "sequence": n,
            "lane": lanes[n % 23 % 4],
        }
        price = 10_000 + n // 50 % 400
        if n % 4:
            yield a_quote(price, price + 1 + n % 5, bid_size=n % 40, ask_size=n % 70, **shared)
        else:
            yield a_trade(f"{price / 100:.2f}", size=n % 300, conditions=(n % 3, 37), **shared)


def _inserts(url: str) -> dict[str, Any]:
    """The same rows, one INSERT each: a transaction a row, and one for all."""
    columns = sql.SQL(", ").join(map(sql.Identifier, ticks.COLUMNS))
    with psycopg.connect(url, autocommit=True) as connection:
        rows = connection.execute(
            sql.SQL("SELECT {} FROM ticks LIMIT %s").format(columns), (SAMPLE,)
        ).fetchall()
        connection.execute("TRUNCATE ticks")
        alone = _timed(connection, columns, rows[: SAMPLE // 5])
        connection.execute("TRUNCATE ticks")
        with connection.transaction():
            together = _timed(connection, columns, rows)
    return {
        "insert_rows_per_s": round(alone),
        "insert_in_one_transaction_rows_per_s": round(together),
    }


def _timed(
    connection: psycopg.Connection[Any], columns: sql.Composed, rows: Sequence[tuple[Any, ...]]
) -> float:
    places = sql.SQL(", ").join([sql.Placeholder()] * len(ticks.COLUMNS))
    insert = sql.SQL("INSERT INTO ticks ({}) VALUES ({})").format(columns, places)
    began = time.monotonic()
    for row in rows:
        connection.execute(insert, row)
    return len(rows) / (time.monotonic() - began)


if __name__ == "__main__":
    main()
