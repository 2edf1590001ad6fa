"""What the journal costs: the live engine with it and without, one after the other, several times.

In each phase the engine takes a backlog as fast as it can, then ticks at a steady rate, of which
the time from a tick's append until a reader has the decision on it is taken. Where others keep the
machine busy, compare the CPU seconds.
Run: python -m tests.benchmarks.bench_journal [--rounds N] [--records N] [--rate N] [--seconds S]
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

import psutil
from confluent_kafka import Consumer, TopicPartition

from connectors.kafka import groups
from connectors.kafka.connection import configuration
from hadron.partitions import partition_of
from hadron.strategy.facts import DecisionMade
from hadron.topics import LIVE
from tests.benchmarks.measuring import append, cpu_s, encoded_ticks, rate
from tests.benchmarks.showing import quantiles, show
from tests.integration.platform import SHARDS, Platform, platform, until
from tests.support import a_trade, codec

COMMAND = {"with": ("hadron", "run"), "without": ("tests.benchmarks.unjournalled",)}
WARM = 0.2  # of a backlog
INSTRUMENTS = 16
STEADY = "eq:steady"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--records", type=int, default=300_000, help="of each backlog")
    parser.add_argument("--rate", type=int, default=1_000, help="ticks/s")
    parser.add_argument("--seconds", type=float, default=20, help="at that rate")
    asked = parser.parse_args()
    found: dict[str, list[dict[str, float]]] = {"with": [], "without": []}
    done = 0
    with platform(HADRON_CHECKPOINT_S="0.2", HADRON_SESSION_S="10") as alone:
        for turn in range(asked.rounds):
            for how in ("with", "without") if turn % 2 == 0 else ("without", "with"):
                _append(alone, range(done, done + asked.records))
                done += asked.records
                with _engine(alone, how) as engine:
                    phase = _backlog(alone, engine, asked.records)
                    _wait_until_taken(alone)
                    phase |= quantiles(_waits(alone, asked.rate, asked.seconds, first=done))
                    done += int(asked.rate * asked.seconds)
                found[how].append(phase)
    show({"records": asked.records, "ticks_per_s": asked.rate} | _result(found))


def _result(found: dict[str, list[dict[str, float]]]) -> dict[str, object]:
    result: dict[str, object] = {
        f"{name}_{how}": [phase[name] for phase in phases]
        for how, phases in found.items()
        for name in phases[0]
    }
    middle = {
        how: {name: statistics.median(phase[name] for phase in phases) for name in phases[0]}
        for how, phases in found.items()
    }
    fast = middle["with"]["ticks_per_s"] / middle["without"]["ticks_per_s"]
    cpu = middle["with"]["cpu_us"] / middle["without"]["cpu_us"]
    return result | {
        "throughput_cost_percent": round(100 * (1 - fast), 1),
        "cpu_cost_percent": round(100 * (cpu - 1), 1),
        "p50_cost_ms": round(middle["with"]["p50"] - middle["without"]["p50"], 2),
    }


def _append(alone: Platform, numbers: range) -> None:
    for first in range(numbers.start, numbers.stop, 5_000):
        some = range(first, min(first + 5_000, numbers.stop))
        append(alone, "ticks.warm", encoded_ticks(some, lane="warm", symbols=INSTRUMENTS))
    alone.log.flush(120)


@contextmanager
def _engine(alone: Platform, how: str) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", *COMMAND[how], "engine"]
    with (alone.directory / f"engine-{how}.log").open("ab") as out:
        child = subprocess.Popen(command, env=alone.environment, stdout=out, stderr=out)
    try:
        yield child
    finally:
        child.terminate()
        child.wait(30)


def _backlog(alone: Platform, engine: subprocess.Popen[bytes], records: int) -> dict[str, float]:
    """Ticks a second, and microseconds of the engine's CPU for each, behind the first ones."""
    measured = psutil.Process(engine.pid)
    before = sum(alone.log.ends([("ticks.warm", p) for p in range(SHARDS)]).values()) - records
    warm = int(records * WARM)
    seen: list[tuple[int, float]] = []

    def stepped() -> int:
        at = groups.committed(alone.admin, LIVE.group("engine"))
        taken = sum(at.get(("ticks.warm", p), 0) for p in range(SHARDS)) - before
        spent_s = cpu_s(measured)
        if taken >= warm:
            seen.append((taken, spent_s))
        return taken

    found = rate(stepped, records, warm=warm)
    (first, begun_s), (last, ended_s) = seen[0], seen[-1]
    return {"ticks_per_s": found, "cpu_us": round((ended_s - begun_s) / (last - first) * 1e6, 2)}


def _waits(alone: Platform, speed: int, seconds: float, *, first: int) -> list[float]:
    """Milliseconds from a tick's append until the decision on it was read."""
    over = Event()
    with ThreadPoolExecutor(1) as beside:
        read = beside.submit(_read, alone, over)
        try:
            begun = time.monotonic()
            for n in range(int(speed * seconds)):
                if (early := begun + n / speed - time.monotonic()) > 0:
                    time.sleep(early)
                _append_now(alone, n, raw_offset=first + n)
            alone.log.flush()
            _wait_until_taken(alone)
        finally:
            over.set()
        return read.result()


def _wait_until_taken(alone: Platform) -> None:
    # The engine is not a process of the platform's, which would miss it.
    until(lambda: alone.left(["engine"]) == 0, "engine took everything")


def _append_now(alone: Platform, n: int, *, raw_offset: int) -> None:
    """A tick of prices that go up and down, so that every eighth of an instrument decides."""
    key = f"{STEADY}{n % INSTRUMENTS}"
    price = "100.10" if n // INSTRUMENTS // 8 % 2 else "100.00"
    now_ns = time.time_ns()
    tick = a_trade(
        price, instrument=key, raw_offset=raw_offset, at_ns=now_ns, seen_ns=now_ns, sequence=n
    )
    record = (key, codec().encode(tick))
    alone.log.append("ticks.warm", partition_of(key, SHARDS), [record])
    alone.log.poll()


def _read(alone: Platform, over: Event) -> list[float]:
    places = [("decisions", partition) for partition in range(SHARDS)]
    consumer = Consumer({**configuration(alone.settings), "group.id": "bench"})
    consumer.assign([TopicPartition(*place, at) for place, at in alone.log.ends(places).items()])
    waits: list[float] = []
    while not over.is_set():
        message = consumer.poll(0.2)
        now_ns = time.time_ns()
        if message is None or message.error():
            continue
        fact = codec().decode(message.value())
        if isinstance(fact, DecisionMade) and fact.instrument.startswith(STEADY):
            waits.append((now_ns - fact.seen_ns) / 1e6)
    consumer.close()
    return waits


if __name__ == "__main__":
    main()
