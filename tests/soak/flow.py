"""What the trials share: servers to break, and a stream of ticks at a steady rate."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from connectors.local import daemon, postgres
from tests.integration.archiving import PARTITIONS, Bench
from tests.support import T0_NS, a_trade, codec

_BEAT_S = 0.1
MIB = 2**20


@contextmanager
def own_server() -> Iterator[Path]:
    """The directory of a PostgreSQL that is nobody else's; it ends with the trial."""
    directory = Path(tempfile.mkdtemp(prefix="hadron-postgres-"))
    try:
        yield directory / "postgres"
    finally:
        postgres.stop(directory / "postgres")
        shutil.rmtree(directory)


def kill(server: Path) -> None:
    """End a PostgreSQL as `-m immediate` does: no checkpoint, its connections just break."""
    daemon.stop(server, signal.SIGQUIT, name=postgres.NAME)


def ticks(count: int, first: int) -> list[bytes]:
    """Encoded trades, numbered from `first`."""
    encode = codec().encode
    return [encode(a_trade(raw_offset=n, at_ns=T0_NS + n)) for n in range(first, first + count)]


def seeded(seed: int | None) -> random.Random:
    """Chance that can be had again: the seed is printed."""
    seed = random.SystemRandom().randrange(2**32) if seed is None else seed
    print(f"seed {seed}")
    return random.Random(seed)


@contextmanager
def flowing(bench: Bench, rate: int) -> Iterator[None]:
    """Append `rate` ticks a second, the first of them before the block begins."""
    stop, begun, failures = threading.Event(), threading.Event(), list[BaseException]()

    def work() -> None:
        try:
            _append(bench, rate, stop, begun)
        except BaseException as error:
            failures.append(error)
            begun.set()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        assert begun.wait(60)
        yield
    finally:
        stop.set()
        thread.join(60)
        assert not thread.is_alive()
        if failures:
            raise failures[0]


def _append(bench: Bench, rate: int, stop: threading.Event, begun: threading.Event) -> None:
    began_s, made, turn = time.monotonic(), len(bench.produced), 0
    first = made
    while not stop.is_set():
        due = first + int((time.monotonic() - began_s) * rate)
        if due > made:
            bench.append("ticks.fast", ticks(due - made, made), turn % PARTITIONS)
            made, turn = due, turn + 1
            begun.set()
        stop.wait(_BEAT_S)


class Memory:
    """The greatest resident memory of a process, in MiB, since it was last asked."""

    def __init__(self, child: subprocess.Popen[bytes]) -> None:
        self._process = psutil.Process(child.pid)
        self._most = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def most(self) -> float:
        """Also begins a new count."""
        most, self._most = max(self._most, self._now()), 0
        return round(most / MIB, 1)

    def close(self) -> None:
        """Watch no longer."""
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(0.05):
            self._most = max(self._most, self._now())

    def _now(self) -> int:
        try:
            return int(self._process.memory_info().rss)
        except psutil.NoSuchProcess:
            return 0
