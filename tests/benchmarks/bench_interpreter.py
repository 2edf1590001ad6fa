"""What settings of the interpreter and of the allocator bring to the hot paths, in turns.

`times` is CPU without a setting by CPU with it, each a ratio to a calibration beside it, as
`make gate` measures; `nothing` says how much two runs of the same differ.

Run: python -m tests.benchmarks.bench_interpreter [NAME ...] [--rounds N]
"""

from __future__ import annotations

import argparse

from tests.benchmarks.pairs import Surroundings, compared
from tests.benchmarks.showing import show

MUCH = str(2**28)
SETTINGS = {
    "nothing": {},
    "no_asserts": {"PYTHONOPTIMIZE": "2"},
    "one_arena": {"MALLOC_ARENA_MAX": "1"},
    "keep_memory": {
        "MALLOC_TRIM_THRESHOLD_": MUCH,
        "MALLOC_TOP_PAD_": str(2**24),
        "MALLOC_MMAP_THRESHOLD_": MUCH,
    },
    "malloc_of_libc": {"PYTHONMALLOC": "malloc"},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(SETTINGS)}")
    parser.add_argument("--rounds", type=int, default=4)
    asked = parser.parse_args()
    if unknown := set(asked.names) - SETTINGS.keys():
        parser.error(f"no setting {', '.join(sorted(unknown))}; there are {', '.join(SETTINGS)}")
    show(
        {
            f"{name}_{path}": found
            for name in asked.names or SETTINGS
            for path, found in compared(
                Surroundings(), Surroundings(environment=SETTINGS[name]), rounds=asked.rounds
            ).items()
        }
    )


if __name__ == "__main__":
    main()
