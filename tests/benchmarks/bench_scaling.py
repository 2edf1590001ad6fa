"""How engine and normalize grow with processes, and normalize with venues, on real Kafka.

Each phase appends a backlog when its processes share the shards and are warm. A rate by the clock
cannot grow beyond the cores that broker and processes have between them, and groups commit once a
second, so that it is too low where records are few. Beside it stands what a tick costs of CPU, in
which a process that waits for others on the machine has its idle time, too: efficiency is the cost
with one process (venue) over that with n. Phases take turns.
Run: python -m tests.benchmarks.bench_scaling [--rounds N] [--records N]
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count

import msgspec
import psutil

from connectors.kafka import groups
from hadron.flow import FLOW
from hadron.topics import LIVE, VENUES
from tests.benchmarks.measuring import (
    Batch,
    append,
    cpu_s,
    encoded_raw_trades,
    encoded_ticks,
    server_cpu_s,
)
from tests.benchmarks.showing import show
from tests.integration.platform import SHARDS, Platform, platform, until

PROCESSES = (1, 2, 4)
WARM = 0.1  # of a backlog, before it is measured
INSTRUMENTS = 64
LOOK_S = 0.1

Backlog = Mapping[str, dict[int, Batch]]  # by topic


class Phase(msgspec.Struct, frozen=True):
    """What is measured: so many processes on ticks, or on raw events of venues."""

    process: str
    processes: int = 1
    venues: tuple[str, ...] = VENUES[:1]
    shards: int = SHARDS  # that the backlog lies on


class Found(msgspec.Struct, frozen=True):
    """Of one phase."""

    per_s: float
    cpu_us: float  # of all processes, for one record
    broker_us: float


class Seen(msgspec.Struct, frozen=True):
    """One look at a phase."""

    at_s: float
    taken: int
    cpu_s: float
    broker_s: float

    def since(self, before: Seen) -> Found:
        """What was between two looks."""
        taken = self.taken - before.taken
        return Found(
            per_s=round(taken / (self.at_s - before.at_s)),
            cpu_us=round((self.cpu_s - before.cpu_s) / taken * 1e6, 2),
            broker_us=round((self.broker_s - before.broker_s) / taken * 1e6, 2),
        )


MEASURED: Mapping[str, Mapping[str, Phase]] = {
    "engine": {
        "one_shard": Phase("engine", shards=1),
        **{f"{n}_processes": Phase("engine", n) for n in PROCESSES},
    },
    "normalize": {
        **{f"{n}_processes": Phase("normalize", n) for n in PROCESSES},
        **{venue: Phase("normalize", venues=(venue,)) for venue in VENUES[1:]},
        "all_venues": Phase("normalize", venues=VENUES),
    },
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--records", type=int, default=300_000, help="of each backlog")
    asked = parser.parse_args()
    result: dict[str, object] = {"records": asked.records, "venues": len(VENUES)}
    for process, phases in MEASURED.items():
        found = _rounds(phases, rounds=asked.rounds, records=asked.records)
        result |= {f"{process}_{name}": figure for name, figure in _result(found).items()}
    show(result)


def _rounds(
    phases: Mapping[str, Phase], *, rounds: int, records: int
) -> Mapping[str, Sequence[Found]]:
    found: dict[str, list[Found]] = {name: [] for name in phases}
    firsts = count(0, records)
    with platform(HADRON_CHECKPOINT_S="0.2", HADRON_SESSION_S="10") as alone:

        def measured(phase: Phase) -> Found:
            first = next(firsts)
            cut, end = first + round(WARM * records), first + records
            warm, backlog = _encoded(phase, range(first, cut)), _encoded(phase, range(cut, end))
            return _measured(alone, phase, warm, backlog)

        measured(phases["1_processes"])  # for what Kafka's JVM learns
        for turn in range(rounds):
            for name in sorted(phases, reverse=turn % 2 > 0):
                found[name].append(measured(phases[name]))
    return found


def _encoded(phase: Phase, numbers: range) -> Backlog:
    if phase.process == "engine":
        batches = encoded_ticks(numbers, lane="warm", symbols=INSTRUMENTS)
        return {"ticks.warm": dict(list(batches.items())[: phase.shards])}
    each = len(numbers) // len(phase.venues)
    return {
        f"raw.{venue}": encoded_raw_trades(
            range(numbers.start, numbers.start + each), venue=venue, symbols=INSTRUMENTS
        )
        for venue in phase.venues
    }


def _measured(alone: Platform, phase: Phase, warm: Backlog, backlog: Backlog) -> Found:
    with _running(alone, phase) as children:
        _appended(alone, warm)
        alone.wait_until_taken(phase.process)
        begun = _look(alone, phase, children)
        wanted = begun.taken + _appended(alone, backlog)
        while (seen := _look(alone, phase, children)).taken < wanted:
            time.sleep(LOOK_S)
        return seen.since(begun)


def _appended(alone: Platform, backlog: Backlog) -> int:
    """How many records were."""
    records = sum(len(batch) for batches in backlog.values() for batch in batches.values())
    for topic, batches in backlog.items():
        append(alone, topic, batches)
    return records


@contextmanager
def _running(alone: Platform, phase: Phase) -> Iterator[list[psutil.Process]]:
    """The processes of a phase, each with its share of the shards."""
    share = SHARDS // phase.processes
    children = [alone.start(phase.process) for _ in range(phase.processes)]

    def shares() -> list[int]:
        owners = groups.readers(alone.admin, LIVE.group(phase.process)).owners
        return [len(one.shards) for one in owners]

    try:
        until(
            lambda: shares() == [share] * phase.processes, f"{phase.process}: {share} shards each"
        )
        yield [psutil.Process(child.pid) for child in children]
    finally:
        _stop(children)


def _stop(children: list[subprocess.Popen[bytes]]) -> None:
    for child in children:
        child.terminate()
    for child in children:
        child.wait(60)


def _look(alone: Platform, phase: Phase, children: Sequence[psutil.Process]) -> Seen:
    at = groups.committed(alone.admin, LIVE.group(phase.process))
    aside = FLOW[phase.process].bootstrap
    taken = sum(offset for (topic, _), offset in at.items() if topic not in aside)
    spent_s = sum(map(cpu_s, children))
    return Seen(time.monotonic(), taken, spent_s, server_cpu_s(alone.directory)["java"])


def _result(found: Mapping[str, Sequence[Found]]) -> dict[str, object]:
    """Every figure of every round; and what the middle ones come to."""
    result: dict[str, object] = {
        f"{name}_{field}": [getattr(one, field) for one in rounds]
        for name, rounds in found.items()
        for field in Found.__struct_fields__
    }
    middle = {name: _middle(rounds) for name, rounds in found.items()}
    one = middle["1_processes"]
    for n in PROCESSES[1:]:
        many = middle[f"{n}_processes"]
        both = (one.cpu_us + one.broker_us) / (many.cpu_us + many.broker_us)
        result[f"{n}_processes_efficiency_cpu"] = round(one.cpu_us / many.cpu_us, 2)
        result[f"{n}_processes_efficiency_cpu_with_broker"] = round(both, 2)
        result[f"{n}_processes_efficiency_clock"] = round(many.per_s / one.per_s / n, 2)
    if "all_venues" in middle:
        alone = statistics.mean([one.cpu_us, *(middle[venue].cpu_us for venue in VENUES[1:])])
        result["venues_efficiency_cpu"] = round(alone / middle["all_venues"].cpu_us, 2)
    return result


def _middle(rounds: Sequence[Found]) -> Found:
    fields = Found.__struct_fields__
    return Found(*(statistics.median(getattr(one, field) for one in rounds) for field in fields))


if __name__ == "__main__":
    main()
