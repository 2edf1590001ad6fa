"""What hot paths would gain as C, made by mypyc: CPU in Python by CPU compiled, in turns.

Each time is a ratio to a calibration beside it, as `make gate` measures. Both must say the same in
all topics, and hold the same state. Compiling takes a minute; where there is no C compiler, that is
all that it says.

Run: python -m tests.benchmarks.bench_compiled [--rounds N]
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.benchmarks.compiling import HOT, compiled_copy, lacking
from tests.benchmarks.pairs import Surroundings, compared
from tests.benchmarks.showing import show

FOLDS = "tests.purity.running"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    if lacks := lacking():
        show({"compiled": 0, "lacking": lacks})
        return
    with TemporaryDirectory() as name:
        python, compiled = Surroundings(), Surroundings(Path(name))
        compiled_copy(compiled.root)
        if python.said(FOLDS) != compiled.said(FOLDS):
            sys.exit("compiled, the folds say something else")
        found = compared(python, compiled, rounds=asked.rounds)
    show({"compiled": len(HOT), "identical": True} | found)


if __name__ == "__main__":
    main()
