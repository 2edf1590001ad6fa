"""An archive that tests start, kill and watch."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Event
from typing import Any

import psycopg
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from connectors.http.health import Health
from connectors.kafka.connection import configuration
from connectors.kafka.log import KafkaLog
from connectors.timescale import records
from connectors.timescale.archiving import process
from connectors.timescale.schema import migrate
from hadron.settings import Settings, settings_from
from hadron.variables import PREFIX
from tests.alarms import Heard
from tests.integration.access import ACCESS, databases
from tests.integration.making_topics import make_topics
from tests.support import codec

Place = tuple[str, int, int]
PARTITIONS = 2


class Counts:
    """A Telemetry that remembers sums and last values."""

    def __init__(self) -> None:
        self.counted: dict[str, float] = {}
        self.gauged: dict[str, float] = {}

    def count(self, name: str, amount: float = 1, **labels: str) -> None:
        self.counted[name] = self.counted.get(name, 0) + amount

    def gauge(self, name: str, value: float, **labels: str) -> None:
        self.gauged[name] = value

    def observe(self, name: str, value: float, **labels: str) -> None: ...


class Bench:
    """Sink topics and a migrated database of one test, which `database` opens without limits."""

    def __init__(self, kafka: str, database: str, prefix: str, **more: str) -> None:
        self.environment = {
            "HADRON_KAFKA": kafka,
            **databases(database),
            "HADRON_PREFIX": prefix,
            **{PREFIX + name.upper(): value for name, value in more.items()},
        }
        self.database, self.prefix = database, prefix
        self.topics = process.catalogue(prefix)
        self.produced: dict[Place, bytes] = {}
        self.counts = Counts()
        self.alarms = Heard()
        self.log = KafkaLog(configuration(self.settings()))

    def settings(self, **more: str) -> Settings:
        changed = {PREFIX + name.upper(): value for name, value in more.items()}
        return settings_from(self.environment | changed)

    def append(self, topic: str, values: Sequence[bytes | None], partition: int = 0) -> None:
        """Append to a sink topic, and return when Kafka has it."""
        name = self.prefix + topic
        first = self.log.ends([(name, partition)])[name, partition]
        self.log.append(name, partition, [("key", value) for value in values])
        self.log.flush()
        for offset, value in enumerate(values, first):
            self.produced[name, partition, offset] = value or b""

    def stored(self) -> dict[Place, bytes]:
        """The log as the database gives it back. A place that is there twice fails the test."""
        found: dict[Place, bytes] = {}
        for name, topic in self.topics.items():
            for partition, offset, value in records.values(self.database, name, topic, codec()):
                assert (name, partition, offset) not in found
                found[name, partition, offset] = value
        return found

    def rows(self, table: str = "ticks") -> int:
        with psycopg.connect(self.database) as connection:
            [(count,)] = connection.execute(f"SELECT count(*) FROM {table}").fetchall()
        return int(count)

    @contextmanager
    def archive(self, *, group: str = process.GROUP, **more: str) -> Iterator[threading.Thread]:
        """An archive in a thread; its error, if any, is raised at the end."""
        stop = Event()
        failures: list[BaseException] = []

        def work() -> None:
            try:
                process.run(
                    self.settings(**more),
                    codec=codec(),
                    telemetry=self.counts,
                    pulse=Health("archive", "test"),
                    alarms=self.alarms,
                    stop=stop,
                    group=group,
                )
            except BaseException as error:
                failures.append(error)

        thread = threading.Thread(target=work)
        thread.start()
        try:
            yield thread
        finally:
            stop.set()
            thread.join(60)
            assert not thread.is_alive()
            if failures:
                raise failures[0]

    def archive_process(self, group: str) -> subprocess.Popen[bytes]:
        """An archive in a process and a group of its own, to be killed.

        The next one then need not wait until Kafka has noticed.
        """
        command = [sys.executable, "-m", "tests.integration.archiving", group]
        return subprocess.Popen(command, env=os.environ | self.environment)


@contextmanager
def a_bench(kafka: str, database: str, unique: str, **more: str) -> Iterator[Bench]:
    """Make topics and tables, and delete the topics again."""
    migrate(database, access=ACCESS)
    bench = Bench(kafka, database, f"{unique}.", **more)
    admin = AdminClient({"bootstrap.servers": kafka})
    wanted = [NewTopic(name, PARTITIONS, 1) for name in bench.topics]
    make_topics(admin, *wanted)
    try:
        yield bench
    finally:
        bench.log.close()
        for future in admin.delete_topics(list(bench.topics)).values():
            future.result(30)


def wait_until(holds: Callable[[], bool], *, timeout_s: float = 60) -> None:
    """Return when it holds; fail at the deadline."""
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.02)


def main() -> None:
    telemetry: Any = Counts()
    settings = settings_from(os.environ)
    process.run(
        settings,
        codec=codec(),
        telemetry=telemetry,
        pulse=Health("archive", "test"),
        alarms=Heard(),
        stop=Event(),
        group=sys.argv[1],
    )


if __name__ == "__main__":
    main()
