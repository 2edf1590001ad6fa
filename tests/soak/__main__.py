"""`make soak`: the trials at full scale, on servers of their own, one after the other.

`day` needs none: it lives through 24 hours of a market in one process, and fails if memory grew.

Run: python -m tests.soak [NAME ...] [--share 1.0] [--seed N] [--trace] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import psycopg

from connectors.local import postgres
from connectors.local import stack as local
from tests.benchmarks.__main__ import commit, machine
from tests.benchmarks.inside import Inside
from tests.integration.archiving import Bench, a_bench
from tests.integration.platform import platform
from tests.soak import trials
from tests.soak.chunk import dropped_chunk
from tests.soak.day import EAGER, MOST_BLOCKS, lived
from tests.soak.disk import database_on, server_on, small_disk
from tests.soak.flow import own_server, seeded
from tests.soak.load import Load, loaded

Trial = Callable[[str, argparse.Namespace], dict[str, Any]]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(TRIALS)}")
    parser.add_argument("--share", type=float, default=1.0, help="of the time and of the times")
    parser.add_argument("--seed", type=int, help="of what is left to chance; none: a new one")
    parser.add_argument("--trace", action="store_true", help="of day: name lines that keep memory")
    parser.add_argument("--json", type=Path, help="write all results to this file")
    asked = parser.parse_args()
    if unknown := set(asked.names) - set(TRIALS):
        parser.error(f"no trial {', '.join(sorted(unknown))}; there are {', '.join(TRIALS)}")
    results: dict[str, Any] = {"machine": machine(), "commit": commit(), "share": asked.share}
    names = asked.names or list(TRIALS)
    with ExitStack() as stack:
        kafka = "" if set(names) <= ALONE else stack.enter_context(_kafka())
        for name in names:
            print(f"== {name}", flush=True)
            began_s = time.monotonic()
            found = TRIALS[name](kafka, asked)
            results[name] = found | {"took_s": round(time.monotonic() - began_s)}
            print(json.dumps(results[name]), flush=True)
    if asked.json:
        asked.json.write_text(json.dumps(results, indent=2) + "\n", "utf-8")
    return 0


def _outage(kafka: str, asked: argparse.Namespace) -> dict[str, Any]:
    with _bench(kafka) as (bench, server):
        down_s, warm_s = 60 * asked.share, max(5, 20 * asked.share)
        return trials.outage(bench, server, down_s=down_s, warm_s=warm_s, rate=5_000)


def _killed_database(kafka: str, asked: argparse.Namespace) -> dict[str, Any]:
    times = max(1, round(20 * asked.share))
    with _bench(kafka) as (bench, server):
        return trials.killed_database(
            bench, server, times=times, rate=5_000, chance=seeded(asked.seed)
        )


def _killed_archive(kafka: str, asked: argparse.Namespace) -> dict[str, Any]:
    times = max(1, round(50 * asked.share))
    with _bench(kafka) as (bench, _):
        return trials.killed_archive(bench, times=times, most=6_000, chance=seeded(asked.seed))


def _forgotten_offsets(kafka: str, asked: argparse.Namespace) -> dict[str, Any]:
    with _bench(kafka) as (bench, _):
        return trials.forgotten_offsets(bench, count=max(1_000, round(100_000 * asked.share)))


def _full_disk(kafka: str, asked: argparse.Namespace) -> dict[str, Any]:
    mib = max(48, round(256 * asked.share))
    with (
        own_server() as server,
        small_disk(mib=mib, ballast_mib=2 * mib // 3) as (disk, ballast),
        database_on(disk, postgres.start(server)) as database,
        a_bench(kafka, database, _name()) as bench,
    ):
        return trials.full_disk(bench, ballast.unlink, rate=5_000)


def _full_log(kafka: str, asked: argparse.Namespace) -> dict[str, Any]:
    def make_room() -> None:
        ballast.unlink()
        postgres.start(server)

    mib = max(80, round(256 * asked.share))
    with (
        small_disk(mib=64 + mib, ballast_mib=4 * mib // 5) as (disk, ballast),
        server_on(disk) as server,
        a_bench(kafka, postgres.start(server), _name()) as bench,
    ):
        return trials.full_disk(bench, make_room, rate=5_000)


def _exhausted_pool(kafka: str, _: argparse.Namespace) -> dict[str, Any]:
    with own_server() as server:
        with psycopg.connect(postgres.start(server), autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET max_connections = 25")
        postgres.stop(server)
        with a_bench(kafka, postgres.start(server), _name()) as bench:
            return trials.exhausted_pool(bench, rate=5_000)


def _dropped_chunk(kafka: str, asked: argparse.Namespace) -> dict[str, Any]:
    with _bench(kafka) as (bench, _):
        return dropped_chunk(bench, count=max(1_000, round(100_000 * asked.share)))


def _day(_: str, asked: argparse.Namespace) -> dict[str, Any]:
    grown = lived(Inside(EAGER), ticks=round(480_000 * asked.share), trace=asked.trace)
    if grown.blocks_a_thousand_ticks > MOST_BLOCKS:
        raise AssertionError(
            f"{grown.blocks_a_thousand_ticks} blocks of memory are kept of a thousand ticks; wanted"
            f" {MOST_BLOCKS} at most: {grown.blocks}. Which lines: {grown.lines or 'use --trace'}"
        )
    return msgspec.structs.asdict(grown)


def _burst(_: str, asked: argparse.Namespace) -> dict[str, Any]:
    return _loaded(Load(per_s=10_000, seconds=1, drained_s=10), asked)


def _sustained(_: str, asked: argparse.Namespace) -> dict[str, Any]:
    return _loaded(Load(per_s=1_000, seconds=600 * asked.share, drained_s=10), asked)


def _flood(_: str, asked: argparse.Namespace) -> dict[str, Any]:
    return _loaded(Load(per_s=12_000, seconds=60 * asked.share, drained_s=60), asked)


def _loaded(load: Load, asked: argparse.Namespace) -> dict[str, Any]:
    with platform("postgres", "valkey", HADRON_SESSION_S="10", HADRON_CHECKPOINT_S="1") as alone:
        return loaded(alone, load, seeded(asked.seed))


ALONE = {"day", "burst", "sustained", "flood"}  # need no server, or have their own
TRIALS: dict[str, Trial] = {
    "outage": _outage,
    "killed_database": _killed_database,
    "killed_archive": _killed_archive,
    "forgotten_offsets": _forgotten_offsets,
    "full_disk": _full_disk,
    "full_log": _full_log,
    "exhausted_pool": _exhausted_pool,
    "dropped_chunk": _dropped_chunk,
    "day": _day,
    "burst": _burst,
    "sustained": _sustained,
    "flood": _flood,
}


@contextmanager
def _bench(kafka: str) -> Iterator[tuple[Bench, Path]]:
    with own_server() as server, a_bench(kafka, postgres.start(server), _name()) as bench:
        yield bench, server


def _name() -> str:
    return f"soak-{uuid4().hex[:8]}"


@contextmanager
def _kafka() -> Iterator[str]:
    directory = Path(tempfile.mkdtemp(prefix="hadron-soak-"))
    try:
        yield local.up(directory, need=frozenset({"kafka"}), progress=lambda _: None).kafka
    finally:
        local.down(directory, progress=lambda _: None)
        shutil.rmtree(directory)


if __name__ == "__main__":
    sys.exit(main())
