"""What hot paths would gain as C, made by mypyc: CPU in Python by CPU compiled, in turns.

Each time is a ratio to a calibration beside it, as `make gate` measures. Both must say the same in
all topics, and hold the same state. Compiling takes a minute; where there is no C compiler, that is
all that it says.

Run: python -m tests.benchmarks.bench_compiled [--rounds N]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.benchmarks.compiling import HOT, ROOT, compiled_copy, lacking
from tests.benchmarks.gate import measured
from tests.benchmarks.hot import PATHS
from tests.benchmarks.measuring import show

ELSEWHERE = {"scan", "signals"}  # columns of numpy, which are C


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--here", action="store_true", help="one round, of what is imported here")
    asked = parser.parse_args()
    if asked.here:
        print(json.dumps(measured([name for name in PATHS if name not in ELSEWHERE])))
        return
    if lacks := lacking():
        show({"compiled": 0, "lacking": lacks})
        return
    with TemporaryDirectory() as name:
        compiled = Path(name)
        compiled_copy(compiled)
        if _said(ROOT, "tests.purity.running") != _said(compiled, "tests.purity.running"):
            sys.exit("compiled, the folds say something else")
        pairs = [_pair(compiled, number) for number in range(asked.rounds)]
    show(
        {"compiled": len(HOT), "identical": True} | {path: _of(path, pairs) for path in pairs[0][0]}
    )


def _pair(compiled: Path, number: int) -> tuple[Mapping[str, float], Mapping[str, float]]:
    """One round of each; the second begins with the compiled one."""
    trees = [ROOT, compiled]
    found = {
        tree: json.loads(_said(tree, "tests.benchmarks.bench_compiled", "--here"))
        for tree in (trees[::-1] if number % 2 else trees)
    }
    return found[ROOT], found[compiled]


def _said(tree: Path, *module: str) -> bytes:
    return subprocess.run(
        [sys.executable, "-m", *module],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": str(tree)},
        stdout=subprocess.PIPE,
        check=True,
    ).stdout


def _of(path: str, pairs: list[tuple[Mapping[str, float], Mapping[str, float]]]) -> dict[str, Any]:
    times = sorted(python[path] / compiled[path] for python, compiled in pairs)
    return {
        "times": round(statistics.median(times), 3),
        "least": round(times[0], 3),
        "most": round(times[-1], 3),
    }


if __name__ == "__main__":
    main()
