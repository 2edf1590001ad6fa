"""`make bench-peers`: ours and theirs, the same data, one run.

Run: python -m tests.benchmarks.peers [NAME ...] [--environments FOLDER]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from confluent_kafka.admin import NewTopic

import schemas
from connectors.tapes import tape
from hadron.backtest.batches import ticks_at
from hadron.backtest.feeding import appended, recorded
from hadron.backtest.models import Named
from hadron.topics import TICKS
from tests.benchmarks import bench_backtest, bench_vector, year
from tests.benchmarks.__main__ import commit, machine
from tests.benchmarks.measuring import append_raw_trades, rate
from tests.benchmarks.peers.environments import NotCompared, python_of
from tests.integration.platform import SHARDS, platform

HERE = Path(__file__).parent
CONTRACTS = Path(schemas.__file__).parent / "avro"
THEIRS = "theirs"  # the topic that peers write to
RECORDS, THEIR_RECORDS, WARM = 600_000, 300_000, 50_000
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
        try:
            found = COMPARED[name](python_of(name.partition("-")[0], asked.environments))
        except NotCompared as reason:
            found = {"not_compared": str(reason)}
        print(json.dumps(found, indent=2))


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


def nautilus(python: Path) -> dict[str, Any]:
    """A backtest of SPY's recorded ticks, which are there as facts of ours and as ticks of theirs.

    Raise NotCompared where no ticks are.
    """
    tapes = os.environ.get("HADRON_TAPES")
    if not tapes:
        raise NotCompared("HADRON_TAPES is not set; wanted the folder of recorded ticks")
    events = recorded(tape(Path(tapes), symbols=("SPY",)))
    ticks = bench_backtest.normalized(appended(events, partitions=1))
    ours = bench_backtest.measured(
        lambda: [ticks_at(ticks, range(len(ticks)))], len(ticks), models=Named(), runs=5
    )
    with TemporaryDirectory() as folder:
        path = f"{folder}/ticks.npz"
        np.savez(
            path,
            price=[tick.price * 10 ** (4 - tick.price_scale) for tick in ticks],
            size=[tick.size for tick in ticks],
            at_ns=[tick.at_ns for tick in ticks],
        )
        theirs = _said(python, "nautilus_ticks.py", path, environ={**os.environ})
    assert theirs["orders"] == ours["decisions"], "by one rule both must decide the same"
    return {"ours": ours, "theirs": theirs}


def normalize(python: Path, script: str) -> dict[str, Any]:
    """The same raw events on one broker, first by our process, then by theirs."""
    with platform(HADRON_CHECKPOINT_S="1", HADRON_SESSION_S="30") as alone:
        append_raw_trades(alone, RECORDS)
        ticks = [(topic.name, p) for topic in TICKS.values() for p in range(SHARDS)]
        alone.start("normalize")
        ours = rate(lambda: sum(alone.log.ends(ticks).values()), RECORDS, warm=WARM)
        alone.stop_all()
        created = NewTopic(THEIRS, num_partitions=SHARDS, replication_factor=1)
        alone.admin.create_topics([created])[THEIRS].result()
        there = [(THEIRS, p) for p in range(SHARDS)]
        command = [str(python), str(HERE / script), alone.settings.kafka, str(CONTRACTS)]
        child = subprocess.Popen([*command, "raw.massive", THEIRS], stdout=subprocess.DEVNULL)

        def written() -> int:
            assert child.poll() is None, f"{script} ended by itself, with {child.returncode}"
            return sum(alone.log.ends(there).values())

        try:
            theirs = rate(written, THEIR_RECORDS, warm=WARM)
        finally:
            child.terminate()
            child.wait(60)
    return {"ours_events_per_s": ours, "theirs_events_per_s": theirs}


def _said(python: Path, script: str, *arguments: str, environ: dict[str, str]) -> Any:
    command = [str(python), "-W", "ignore", str(HERE / script), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environ)
    return json.loads(done.stdout.splitlines()[-1])


COMPARED: dict[str, Callable[[Path], dict[str, Any]]] = {
    "vectorbt": vectorbt,
    "vectorbt-first-start": vectorbt_first,
    "nautilus": nautilus,
    "quix": partial(normalize, script="quix_normalize.py"),
    "faust": partial(normalize, script="faust_normalize.py"),
}

if __name__ == "__main__":
    main()
