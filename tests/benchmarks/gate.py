"""`make gate`: has a hot path become slower than the baseline in the repository allows?

Machines differ, and neighbours take what they want. So each path runs in turn with a calibration of
its kind of work, and the ratio of their CPU times counts: the median of many turns, the lowest of
three attempts. Beside it the instructions of Python's bytecode are counted, which are the same each
time; what a library in C does shows in the ratio only.

A change that is meant to cost more brings a new baseline (--update), and the reason in its commit.
Run: python -m tests.benchmarks.gate [PATH ...] [--update]
"""

from __future__ import annotations

import argparse
import gc
import statistics
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from types import FrameType
from typing import Any

import msgspec

from tests.benchmarks.__main__ import commit, machine
from tests.benchmarks.hot import PATHS, Run
from tests.benchmarks.regression import Baseline, Cost, breaches, settled

FILE = Path(__file__).parent / "baseline.json"
TURNS = 15
ATTEMPTS = 3
TIMES_RATIO, TIMES_INSTRUCTIONS = 1.5, 1.1
PYTHON = ".".join(map(str, sys.version_info[:2]))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="PATH", help=f"of {', '.join(PATHS)}")
    parser.add_argument("--update", action="store_true", help="write what is measured as baseline")
    asked = parser.parse_args()
    if unknown := set(asked.names) - set(PATHS):
        parser.error(f"no path {', '.join(sorted(unknown))}; there are {', '.join(PATHS)}")
    names = asked.names or list(PATHS)
    for name in names:
        PATHS[name].make()()  # what is remembered from run to run is known by now
    instructions = {name: counted(PATHS[name].make()) for name in names}
    if asked.update:
        return _update(instructions)
    baseline = msgspec.json.decode(FILE.read_bytes(), type=Baseline)
    ratios = settled(baseline, measured, names, attempts=ATTEMPTS)
    found = {name: Cost(round(ratios[name], 3), instructions[name]) for name in names}
    _show(found, baseline)
    if baseline.python != PYTHON:
        print(f"Python {PYTHON}: instructions are compared on {baseline.python} only")
    said = breaches(baseline, found, python=PYTHON)
    print("\n".join(said) or "no path became slower")
    return 1 if said else 0


def measured(names: Sequence[str]) -> Mapping[str, float]:
    """The median ratio of each path to its calibration, just before and just after it."""
    ratios: dict[str, list[float]] = {name: [] for name in names}
    for _, name in product(range(TURNS), names):
        path = PATHS[name]
        run = path.make()
        with _no_collection():
            before_ns, took_ns, after_ns = map(_cpu_ns, (path.beside, run, path.beside))
        ratios[name].append(2 * took_ns / (before_ns + after_ns))
    return {name: statistics.median(of_path) for name, of_path in ratios.items()}


def counted(run: Run) -> int:
    """The instructions of Python's bytecode in one run."""
    count = 0

    def step(frame: FrameType, event: str, _: object) -> Any:
        nonlocal count
        count += event == "opcode"
        return step

    def call(frame: FrameType, event: str, _: object) -> Any:
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        return step

    with _no_collection():
        before = sys.gettrace()
        sys.settrace(call)
        try:
            run()
        finally:
            sys.settrace(before)
    return count


@contextmanager
def _no_collection() -> Iterator[None]:
    """When garbage is collected is chance; its cost shows in the objects that are made."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _cpu_ns(run: Run) -> int:
    began_ns = time.thread_time_ns()
    run()
    return time.thread_time_ns() - began_ns


def _update(instructions: Mapping[str, int]) -> int:
    rounds = [measured(list(instructions)) for _ in range(ATTEMPTS)]
    paths = {
        name: Cost(round(statistics.median(one[name] for one in rounds), 3), instructions[name])
        for name in instructions
    }
    if FILE.exists():
        paths = dict(msgspec.json.decode(FILE.read_bytes(), type=Baseline).paths) | paths
    known = {name: paths[name] for name in PATHS if name in paths}
    baseline = Baseline(commit(), machine(), PYTHON, TIMES_RATIO, TIMES_INSTRUCTIONS, known)
    FILE.write_bytes(msgspec.json.format(msgspec.json.encode(baseline), indent=2) + b"\n")
    _show(paths, baseline)
    return 0


def _show(found: Mapping[str, Cost], baseline: Baseline) -> None:
    print(f"{'path':<26}{'ratio':>8}{'baseline':>10}{'instructions':>14}{'baseline':>12}")
    for name, cost in found.items():
        known = baseline.paths.get(name, Cost(0, 0))
        print(
            f"{name:<26}{cost.ratio:>8.3f}{known.ratio:>10.3f}"
            f"{cost.instructions:>14,}{known.instructions:>12,}"
        )


if __name__ == "__main__":
    sys.exit(main())
