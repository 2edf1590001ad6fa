"""`make bench-peers`: ours and theirs, the same data, one run.

Run: python -m tests.benchmarks.peers [NAME ...] [--environments FOLDER]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.benchmarks import bench_vector, year
from tests.benchmarks.__main__ import commit, machine
from tests.benchmarks.peers.environments import python_of

HERE = Path(__file__).parent
WITHIN = 1e-6  # of the profit: the same fills in another order of additions


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(COMPARED)}")
    parser.add_argument(
        "--environments",
        type=Path,
        default=Path(".peers"),
        help="where their environments are made; %(default)s by default",
    )
    asked = parser.parse_args()
    unknown = set(asked.names) - set(COMPARED)
    if unknown:
        parser.error(f"no {', '.join(sorted(unknown))}; there are {', '.join(COMPARED)}")
    print(json.dumps({"machine": machine(), "commit": commit()}, indent=2))
    for name in asked.names or COMPARED:
        print(f"\n== {name}", flush=True)
        print(
            json.dumps(
                COMPARED[name](python_of(name.partition("-")[0], asked.environments)), indent=2
            )
        )


def vectorbt(python: Path) -> dict[str, Any]:
    """A year of minute bars, with what its first start has compiled and kept."""
    with TemporaryDirectory() as folder:
        year.write(Path(folder))
        ours = bench_vector.measured(Path(folder))
        theirs = _said(python, "vectorbt_year.py", folder, "--sets", environ={**os.environ})
    same = abs(theirs["profit_by_our_signals"] - ours["profit"]) < WITHIN * abs(ours["profit"])
    assert same, "on the same signals both must earn the same"
    assert theirs["orders"] == ours["orders"]
    return {"ours": ours, "theirs": theirs}


def vectorbt_first(python: Path) -> dict[str, Any]:
    """The same from its first start on a machine, which compiles."""
    with TemporaryDirectory() as folder:
        year.write(Path(folder))
        environ = {**os.environ, "NUMBA_CACHE_DIR": f"{folder}/numba"}
        return {"theirs": _said(python, "vectorbt_year.py", folder, environ=environ)}


def _said(python: Path, script: str, *arguments: str, environ: dict[str, str]) -> Any:
    command = [str(python), "-W", "ignore", str(HERE / script), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environ)
    return json.loads(done.stdout.splitlines()[-1])


COMPARED = {"vectorbt": vectorbt, "vectorbt-first-start": vectorbt_first}

if __name__ == "__main__":
    main()
