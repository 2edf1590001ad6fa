"""The whole flow: recorded ticks as fast as it takes them, all processes, nothing lost.

Plays a tape through `hadron demo --json`, from the simulator's socket to the database; the time
ends when every process has taken all that its topics have. Run, with HADRON_TAPES set:
python -m tests.benchmarks.bench_flow [--symbols AIG,BAC] [--day 20131007]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys

from tests.benchmarks.showing import show


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--symbols", default="", help="by comma; all of the tape without it")
    parser.add_argument("--day", action="append", default=[], help="all days without it")
    asked = parser.parse_args()
    tapes = os.environ.get("HADRON_TAPES")
    if not tapes:
        parser.error("HADRON_TAPES is not set; the folder of recorded ticks is wanted")
    command = [sys.executable, "-m", "hadron", "demo", "--json", "--speed", "max", "--tape", tapes]
    command += ["--symbols", asked.symbols] if asked.symbols else []
    command += [argument for day in asked.day for argument in ("--day", day)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False)
    found = json.loads(done.stdout)
    show(
        {
            "market": found["market"],
            "ticks": found["ticks"],
            "seconds": found["elapsed_s"],
            "ticks_per_s": round(found["ticks"] / found["elapsed_s"]),
            "decisions": found["decisions"]["decisions"],
            "accounting_holds": found["holds"],
        }
    )
    sys.exit(done.returncode)


if __name__ == "__main__":
    main()
