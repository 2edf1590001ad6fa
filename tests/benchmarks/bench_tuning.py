"""What low-level tricks bring: CPU a tick of feed, normalize and engine, without and with each.

On real sockets and Kafka: feed records a generated market as fast as it can, then normalize and
engine, side by side, take what waits for them. Runs come in pairs, for a machine is not as fast all
the time. `times` is CPU without a trick by CPU with it; `nothing` says how much two runs of the
same differ.

Run: python -m tests.benchmarks.bench_tuning [NAME ...] [--rounds N] [--ticks N]
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import msgspec
import psutil

from tests.benchmarks.bench_latency import SYMBOLS
from tests.benchmarks.measuring import append_raw_trades, cpu_s, fed_by_a_simulator
from tests.benchmarks.pairs import Costs, in_turns, times
from tests.benchmarks.showing import show
from tests.integration.platform import SHARDS, Platform, platform, until

FOLDS = ("normalize", "engine")
PROCESSES = ("feed", *FOLDS)
WARM = 4_000  # ticks: imports, joining the group, restoring
# What a process imports in place of what it would.
PLAIN_LOOP = {"uvloop.py": "from asyncio import run\n"}
PLAIN_GC = {
    "sitecustomize.py": (
        "import gc\ngc.freeze = lambda: None\ngc.set_threshold = lambda *thresholds: None\n"
    )
}
NO_GC = {"sitecustomize.py": "import gc\ngc.disable()\n"}


class Setting(msgspec.Struct, frozen=True):
    """What a process finds when it starts: files before all others, environment, the first core."""

    files: Mapping[str, str] = {}
    environment: Mapping[str, str] = {}
    pinned: bool = False


class Trick(NamedTuple):
    """Two settings, of which one has it."""

    without: Setting
    having: Setting


Start = Callable[[str], psutil.Process]
OURS = Setting()
TRICKS = {
    "nothing": Trick(OURS, OURS),
    "uvloop": Trick(Setting(PLAIN_LOOP), OURS),
    "collect_less": Trick(Setting(PLAIN_GC), OURS),
    "collect_never": Trick(OURS, Setting(NO_GC)),
    "pinned": Trick(OURS, Setting(pinned=True)),
    "malloc_of_libc": Trick(OURS, Setting(environment={"PYTHONMALLOC": "malloc"})),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(TRICKS)}")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--ticks", type=int, default=100_000)
    asked = parser.parse_args()
    if unknown := set(asked.names) - TRICKS.keys():
        parser.error(f"no trick {', '.join(sorted(unknown))}; there are {', '.join(TRICKS)}")
    found: dict[str, Any] = {"ticks": asked.ticks}
    with _listening() as alone:
        for name in asked.names or TRICKS:
            without, having = (partial(_cost, alone, one, asked.ticks) for one in TRICKS[name])
            pairs = in_turns(without, having, rounds=asked.rounds)
            of_trick = {f"{name}_{process}": times(process, pairs) for process in PROCESSES}
            print(json.dumps(of_trick), flush=True)
            found |= of_trick
    show(found)


@contextmanager
def _listening() -> Iterator[Platform]:
    """A platform whose feed is to listen to the simulator."""
    with platform(HADRON_CHECKPOINT_S="1", HADRON_SESSION_S="20") as alone:
        fed_by_a_simulator(alone, SYMBOLS)
        yield alone


def _cost(alone: Platform, setting: Setting, ticks: int) -> Costs:
    with _found(setting.files) as files:
        start = partial(_started, alone, setting, {**files, **setting.environment})
        return {"feed": _feed_us(alone, start, ticks), **_folds_us(alone, start, ticks)}


def _feed_us(alone: Platform, start: Start, ticks: int) -> float:
    """Microseconds of CPU for each tick that the feed records, after the first."""
    first = _recorded(alone) + WARM
    feed = start("feed")
    alone.start("simulator", "--speed", "max")
    until(lambda: _recorded(alone) > first, "ticks flow")
    first, before_s = _recorded(alone), cpu_s(feed)
    until(lambda: _recorded(alone) > first + ticks, "all ticks are recorded")
    recorded, spent_s = _recorded(alone) - first, cpu_s(feed) - before_s
    alone.stop_all()
    return spent_s / recorded * 1e6


def _folds_us(alone: Platform, start: Start, ticks: int) -> Costs:
    """Microseconds of CPU of the folds for each tick of some, after the first."""
    children = {process: start(process) for process in FOLDS}
    _take(alone, WARM)  # and what the feed recorded
    before_s = {process: cpu_s(child) for process, child in children.items()}
    _take(alone, ticks)
    spent_s = {process: cpu_s(child) - before_s[process] for process, child in children.items()}
    alone.stop_all()
    return {process: of_process / ticks * 1e6 for process, of_process in spent_s.items()}


def _take(alone: Platform, ticks: int) -> None:
    append_raw_trades(alone, ticks)
    for process in FOLDS:
        alone.wait_until_taken(process)


def _started(
    alone: Platform, setting: Setting, environment: Mapping[str, str], process: str
) -> psutil.Process:
    child = psutil.Process(alone.start(process, **environment).pid)
    if setting.pinned:
        child.cpu_affinity([0])  # all of them together
    return child


def _recorded(alone: Platform) -> int:
    return sum(alone.log.ends([("raw.massive", shard) for shard in range(SHARDS)]).values())


@contextmanager
def _found(files: Mapping[str, str]) -> Iterator[Mapping[str, str]]:
    """The environment in which Python finds these modules before all others."""
    with TemporaryDirectory() as folder:
        for name, text in files.items():
            (Path(folder) / name).write_text(text)
        yield {"PYTHONPATH": os.pathsep.join([folder, os.environ.get("PYTHONPATH", "")])}


if __name__ == "__main__":
    main()
