"""The gate's hot paths in two surroundings, in turns, for a machine is not as fast all the time.

Run: python -m tests.benchmarks.pairs, for one round of what is imported here
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from tests.benchmarks.gate import measured
from tests.benchmarks.hot import PATHS

ROOT = Path(__file__).parents[2]
ELSEWHERE = {"scan", "signals"}  # columns of numpy, which are C

Costs = Mapping[str, float]  # CPU of each path, in times of any unit


class Surroundings(msgspec.Struct, frozen=True):
    """Which source is run, and in which environment."""

    root: Path = ROOT
    environment: Mapping[str, str] = {}

    def said(self, module: str) -> bytes:
        """What a module prints. Raise CalledProcessError if it fails."""
        return subprocess.run(
            [sys.executable, "-m", module],
            cwd=self.root,
            env={**os.environ, "PYTHONPATH": str(self.root), **self.environment},
            stdout=subprocess.PIPE,
            check=True,
        ).stdout

    def costs(self) -> Costs:
        """Of each hot path."""
        found: Costs = json.loads(self.said("tests.benchmarks.pairs"))
        return found


def compared(
    before: Surroundings, after: Surroundings, *, rounds: int
) -> dict[str, dict[str, float]]:
    """How many times the CPU after is that before; every other round begins with after."""
    pairs = in_turns(before.costs, after.costs, rounds=rounds)
    return {path: times(path, pairs) for path in pairs[0][0]}


def in_turns(
    before: Callable[[], Costs], after: Callable[[], Costs], *, rounds: int
) -> list[tuple[Costs, Costs]]:
    """What both cost in each round; every other one begins with after."""
    pairs: list[tuple[Costs, Costs]] = []
    for number in range(rounds):
        if number % 2:
            later = after()
            pairs.append((before(), later))
        else:
            pairs.append((before(), after()))
    return pairs


def times(name: str, pairs: Sequence[tuple[Costs, Costs]]) -> dict[str, float]:
    """The median, and the least and the most, of all pairs."""
    found = sorted(before[name] / after[name] for before, after in pairs)
    return {
        "times": round(statistics.median(found), 3),
        "least": round(found[0], 3),
        "most": round(found[-1], 3),
    }


if __name__ == "__main__":
    print(json.dumps(measured([name for name in PATHS if name not in ELSEWHERE])))
