"""The whole platform for one test: its own broker, and processes that can be killed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

import msgspec

from connectors.kafka import admin, groups
from connectors.kafka.connection import configuration
from connectors.kafka.log import KafkaLog
from connectors.local import stack
from connectors.timescale import schema
from connectors.timescale.querying import accounting
from hadron import topics
from hadron.audit.names import Name, name_of
from hadron.cli.defaults import seed_defaults
from hadron.flow import FLOW
from hadron.partitions import partition_of
from hadron.ports import Record
from hadron.settings import Settings, settings_from
from hadron.topics import LIVE
from hadron.variables import variable
from tests.integration.access import ACCESS, an_empty_database, databases
from tests.support import a_raw, codec

SHARDS = 4
PATIENCE_S = 120.0


def until(holds: Callable[[], bool], what: str, patience_s: float = PATIENCE_S) -> None:
    """Return once `holds`; fail the test if it does not in time."""
    deadline = time.monotonic() + patience_s
    while not holds():
        assert time.monotonic() < deadline, f"not in {patience_s:g} s: {what}"
        time.sleep(0.05)


class Platform:
    """A broker of its own and the processes of a test."""

    def __init__(
        self, directory: Path, endpoints: stack.Endpoints, more: Mapping[str, str]
    ) -> None:
        self.directory = directory
        self.environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("HADRON_")},
            "HADRON_KAFKA": endpoints.kafka,
            **(databases(endpoints.database) if endpoints.database else {}),
            "HADRON_REDIS": endpoints.redis,
            "HADRON_HTTP_PORT": "0",
            "HADRON_NUM_SHARDS": str(SHARDS),
            # As short as two busy cores allow: who stands still for so long ends itself.
            "HADRON_SESSION_S": "4",
            "HADRON_CHECKPOINT_S": "0.3",
            "PYTHONFAULTHANDLER": "1",
            **more,
        }
        self.settings: Settings = settings_from(self.environment)
        self.log = KafkaLog(configuration(self.settings))
        self.admin = admin.connect(configuration(self.settings))
        self._children: list[tuple[str, subprocess.Popen[bytes]]] = []

    def prepare(self) -> None:
        """Topics and the first rules."""
        admin.apply(self.admin, topics.ALL, partitions=SHARDS, replication=1)
        if self.settings.database_migrate is not None:
            schema.migrate(self.settings.database_migrate.get_secret_value(), access=ACCESS)
        seed_defaults(self.log, codec(), SHARDS, time.time_ns())
        self.log.flush()

    def start(self, process: str, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
        """Start `hadron run <process>`."""
        with (self.directory / f"{process}-{len(self._children)}.log").open("wb") as out:
            child = subprocess.Popen(
                [sys.executable, "-m", "hadron", "run", process, *arguments],
                env={**self.environment, **environment},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
            )
        self._children.append((process, child))
        return child

    def stop_all(self) -> None:
        """Ask all to stop; what does not says where it stands, is ended, and fails the test."""
        alive = [(name, child) for name, child in self._children if child.poll() is None]
        for _, child in alive:
            child.terminate()
        late = []
        for name, child in alive:
            try:
                child.wait(30)
            except subprocess.TimeoutExpired:
                child.send_signal(signal.SIGABRT)  # Python's fault handler writes all stacks
                with suppress(subprocess.TimeoutExpired):
                    child.wait(10)
                kill(child)
                late.append(f"{name} did not stop on SIGTERM: {self.said(name)[-5000:]}")
        assert late == [], "\n".join(late)

    def close(self) -> None:
        """Stop all and leave the log, which would go on looking for its broker when that ends."""
        with closing(self.log):
            self.stop_all()

    def wake_all(self) -> None:
        """Let what a test has frozen go on, so that it can be stopped."""
        for _, child in self._children:
            if child.poll() is None:
                child.send_signal(signal.SIGCONT)

    def said(self, process: str) -> str:
        """All log lines of a process's children."""
        logs = sorted(self.directory.glob(f"{process}-*.log"))
        return "\n".join(path.read_text("utf-8", "replace") for path in logs)

    def produce_trades(self, count: int, *, first: int = 0, symbols: int = 8) -> None:
        """Append raw trades of Massive, numbered from `first`, prices walking up and down."""
        batches: dict[int, list[tuple[str | bytes | None, bytes | None]]] = {}
        for number in range(first, first + count):
            symbol = f"S{number % symbols}"
            key = f"eq:{symbol}"
            raw = a_raw(_trade(symbol, number), symbol=symbol, instrument=key, frame=number)
            batches.setdefault(partition_of(key, SHARDS), []).append((key, codec().encode(raw)))
        for partition, batch in batches.items():
            for place in range(0, len(batch), 500):
                self.log.append("raw.massive", partition, batch[place : place + 500])
        self.log.flush()

    def left(self, processes: Iterable[str]) -> int:
        """Records that these have not taken and committed."""
        left = 0
        for process in processes:
            places = [(topic, p) for topic in FLOW[process].sources for p in range(SHARDS)]
            ends, starts = self.log.ends(places), self.log.starts(places)
            done = groups.committed(self.admin, LIVE.group(process))
            left += sum(max(0, end - done.get(place, starts[place])) for place, end in ends.items())
        return left

    def wait_until_taken(self, *processes: str) -> None:
        """Return once these processes have taken and committed everything."""
        # Twice: one that has taken all may have said something since to one looked at before.
        for _ in range(2):
            until(lambda: self._taken(processes), f"{', '.join(processes)} took everything")

    def _taken(self, processes: Sequence[str]) -> bool:
        """Whether they have; fail if nobody is there who could."""
        if self.left(processes) == 0:
            return True
        alive = {name for name, child in self._children if child.poll() is None}
        for process in processes:
            # What came last may be taken by one that has ended since.
            assert process in alive or self.left([process]) == 0, self.said(process)[-3000:]
        return False

    def archived(self) -> bool:
        """Whether the database has all that its archive is to take, as its own ledger says."""
        assert self.settings.database is not None
        done = accounting.offsets(self.settings.database.get_secret_value())
        places = [(topic.name, p) for topic in topics.sink_topics() for p in range(SHARDS)]
        return all(done.get(place, 0) >= end for place, end in self.log.ends(places).items())

    def records(self, *names: str) -> Iterator[Record]:
        """All records of topics, partition by partition."""
        places = [(name, partition) for name in names for partition in range(SHARDS)]
        ends, starts = self.log.ends(places), self.log.starts(places)
        for name, partition in places:
            start, end = starts[name, partition], ends[name, partition]
            if start < end:
                yield from self.log.read(name, partition, start=start, end=end)

    def facts(self, *names: str) -> list[Any]:
        """All facts of topics, partition by partition."""
        return [codec().decode(r.value) for r in self.records(*names) if r.value is not None]

    def named(self, *names: str) -> Counter[Name]:
        """How often each name stands on topics."""
        return Counter(name_of(fact) for fact in self.facts(*names))


def kill(child: subprocess.Popen[bytes]) -> None:
    """kill -9."""
    child.send_signal(signal.SIGKILL)
    child.wait()


@contextmanager
def platform(*need: stack.Name, **more: str) -> Iterator[Platform]:
    """A platform on servers of its own, which end with it. Kafka is always among them."""
    with empty_platform(*need, **more) as made:
        made.prepare()
        yield made


@contextmanager
def empty_platform(*need: stack.Name, **more: str) -> Iterator[Platform]:
    """The same without topics and tables."""
    with (
        servers("kafka", *need) as (directory, endpoints),
        closing(Platform(directory, endpoints, more)) as made,
    ):
        yield made


@contextmanager
def servers(*need: stack.Name) -> Iterator[tuple[Path, stack.Endpoints]]:
    """Servers that end with the test, and their directory.

    If HADRON_DATABASE names a server, the database is an empty one there, gone afterwards.
    """
    directory = Path(tempfile.mkdtemp(prefix="hadron-platform-"))
    named = os.environ.get(variable("database"), "") if "postgres" in need else ""
    ours = frozenset(need) - ({"postgres"} if named else set())
    with an_empty_database(named) if named else nullcontext("") as database:
        try:
            started = stack.up(directory, need=ours, progress=lambda _: None)
            yield directory, msgspec.structs.replace(started, database=database or started.database)
        finally:
            stack.down(directory, progress=lambda _: None)
            shutil.rmtree(directory)


def _trade(symbol: str, number: int) -> bytes:
    cents = 10_000 + (number * 7919) % 400
    return (
        f'{{"ev":"T","sym":"{symbol}","x":4,"i":"{number}","z":3,"p":{cents / 100:.2f},"s":100,'
        f'"t":{1_700_000_000_000 + number},"q":{number + 1}}}'
    ).encode()
