"""Memory of normalize and engine for few and many instruments, and what is stored of each.

Both sample strategies run on every instrument, of which each has had some trades.
Run: python -m tests.benchmarks.bench_memory [--instruments N N] [--trades N]
"""

from __future__ import annotations

import argparse
import subprocess

import psutil

from hadron.topics import LIVE
from streams.restoring import newest_checkpoint
from streams.shard import Place
from tests.benchmarks.measuring import append_raw_trades
from tests.benchmarks.showing import show
from tests.integration.platform import SHARDS, Platform, platform
from tests.support import codec

PROCESSES = ("normalize", "engine")
MIB = 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--instruments", type=int, nargs=2, default=[1_000, 10_000])
    parser.add_argument("--trades", type=int, default=20, help="of each instrument")
    asked = parser.parse_args()
    few, many = asked.instruments
    rss: dict[tuple[str, int], int] = {}
    found: dict[str, float] = {}
    for count in (few, many):
        with platform(HADRON_CHECKPOINT_S="1", HADRON_SESSION_S="30") as alone:
            append_raw_trades(alone, count * asked.trades, symbols=count)
            children = {name: alone.start(name) for name in PROCESSES}
            alone.wait_until_taken("normalize")
            alone.wait_until_taken("engine")
            for name, child in children.items():
                rss[name, count] = _resident(child)
                found[f"{name}_rss_mib_{count}"] = round(rss[name, count] / MIB, 1)
                stored = _stored(alone, name) / count
                found[f"{name}_stored_bytes_an_instrument_{count}"] = round(stored)
    for name in PROCESSES:
        more = (rss[name, many] - rss[name, few]) / (many - few)
        found[f"{name}_memory_bytes_an_instrument"] = round(more)
    show({"trades_an_instrument": asked.trades} | found)


def _resident(child: subprocess.Popen[bytes]) -> int:
    return int(psutil.Process(child.pid).memory_info().rss)


def _stored(alone: Platform, process: str) -> int:
    """Bytes of all parts of the newest checkpoints."""
    place = Place(process, SHARDS, LIVE)
    shards = [
        newest_checkpoint(place, partition, log=alone.log, codec=codec())
        for partition in range(SHARDS)
    ]
    return sum(len(part) for shard in shards for part in shard.parts.values())


if __name__ == "__main__":
    main()
