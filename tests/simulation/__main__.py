"""Simulate faults: `python -m tests.simulation --schedules 2000`, or `--seed N` for one of them.

0 if all went well, 1 if a law was broken; the seed that is printed then is the reproduction.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from rich.console import Console
from rich.progress import (
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from tests.simulation.bugs import BUGS
from tests.simulation.laws import is_known
from tests.simulation.schedule import drawn
from tests.simulation.search import prepared, search, tried

Result = tuple[int, list[str]]

console = Console(highlight=False, soft_wrap=True)


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, help="replay one run and print its trace")
    parser.add_argument("--schedules", type=int, default=200, help="how many runs")
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="processes")
    parser.add_argument("--bug", choices=[*BUGS, "all"], help="plant it in these runs")
    asked = parser.parse_args()
    seeds = range(asked.first, asked.first + asked.schedules)
    with prepared():
        if asked.bug == "all":
            return _all_bugs(seeds, asked.workers)
        with _planted(asked.bug):
            if asked.seed is not None:
                return _replayed(asked.seed)
            return _all(seeds, asked.workers)


def _replayed(seed: int) -> int:
    schedule = drawn(seed)
    world, problems = tried(seed)
    console.print(f"seed {seed}: market {schedule.market}, workers {schedule.workers}")
    for fault in schedule.faults:
        console.print(f"  {fault.at_s:6.3f} s {fault.kind} {fault.victim}, {fault.lasts_s:.3f} s")
    console.print("\n".join(world.trace), markup=False)
    return _told({seed: problems} if problems else {})


def _all(seeds: range, workers: int) -> int:
    """Run many, with a line that says how far it is."""
    wrong: dict[int, list[str]] = {}
    started = time.monotonic()
    columns = (
        SpinnerColumn(),
        TextColumn("{task.completed} of {task.total} schedules, {task.fields[wrong]} wrong"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with (
        multiprocessing.get_context("fork").Pool(workers) as pool,
        Progress(*columns, console=console) as progress,
    ):
        line = progress.add_task("", total=len(seeds), wrong=0)
        for seed, problems in pool.imap(_one, seeds):
            if problems:
                wrong[seed] = problems
            progress.update(line, advance=1, wrong=len(wrong))
    console.print(f"{len(seeds)} schedules in {time.monotonic() - started:.0f} s")
    return _told(wrong)


def _one(seed: int) -> Result:
    _, problems = tried(seed)
    return seed, problems


def _told(wrong: dict[int, list[str]]) -> int:
    """Say what went wrong. What only a journal can mend is said, and is no failure."""
    failed = 0
    for seed, problems in sorted(wrong.items()):
        known = all(is_known(problem) for problem in problems)
        failed += not known
        for problem in problems[:5]:
            console.print(f"seed {seed}{' (known)' if known else ''}: {problem}", markup=False)
    console.print(f"{failed} went wrong" if failed else "no law was broken")
    return 1 if failed else 0


def _all_bugs(seeds: range, workers: int) -> int:
    missed = 0
    with multiprocessing.get_context("fork").Pool(workers) as pool:
        for name, what in pool.imap(_hunted, [(name, seeds) for name in BUGS]):
            missed += not what
            console.print(f"{name}: {what or 'not found'}", markup=False)
    return 1 if missed else 0


def _hunted(job: tuple[str, range]) -> tuple[str, str]:
    name, seeds = job
    with _planted(name):
        found = search(seeds)
    return name, f"seed {found.seed}: {found.problems[0][:100]}" if found else ""


@contextmanager
def _planted(name: str | None) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        if name is not None:
            BUGS[name](patch)
        yield


if __name__ == "__main__":
    sys.exit(main())
