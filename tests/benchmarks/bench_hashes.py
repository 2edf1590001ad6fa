"""What it costs to hash the state of a shard after every so many entries of its journal.

A shard of the engine steps ticks of many instruments in entries as the sequencer makes them under
load, with a checkpoint for each second of its CPU time, or so. CPU time alone; nothing is written.

Run: python -m tests.benchmarks.bench_hashes [--ticks N] [--instruments N] [--entry N]
"""

from __future__ import annotations

import argparse
import time

from hadron.audit.checkpoints import Recovered
from hadron.ports import Record
from hadron.strategy.engine import Engine
from hadron.topics import LIVE
from streams.shard import Place, Shard
from tests.benchmarks.measuring import encoded_ticks
from tests.benchmarks.showing import show
from tests.support import a_strategy, codec

CHECKPOINT_TICKS = 100_000
EVERY = (0, 10_000, 1_000, 100)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ticks", type=int, default=1_000_000)
    parser.add_argument("--instruments", type=int, default=10_000)
    parser.add_argument("--entry", type=int, default=64, help="ticks of one entry")
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    batches = encoded_ticks(range(asked.ticks), lane="warm", symbols=asked.instruments)
    pairs = [pair for batch in batches.values() for pair in batch]
    ticks = [Record("ticks.warm", 0, n, 0, None, value) for n, (_, value) in enumerate(pairs)]
    least = dict.fromkeys(EVERY, float("inf"))
    for _ in range(asked.rounds):  # turn by turn, as a machine is not as fast all the time
        for every in EVERY:
            least[every] = min(least[every], stepped(ticks, every, entry=asked.entry))
    show(
        {
            "ticks": len(ticks),
            "instruments": asked.instruments,
            "ticks_of_an_entry": asked.entry,
            **{
                f"every_{every}": {
                    "cpu_us_per_tick": round(cpu_s / len(ticks) * 1e6, 2),
                    "more_percent": round((cpu_s / least[0] - 1) * 100, 1),
                }
                for every, cpu_s in least.items()
            },
        }
    )


def stepped(ticks: list[Record], every: int, *, entry: int) -> float:
    """CPU seconds for all ticks."""
    shard = Shard(Place("engine", 1, LIVE, every), 0, Engine(), Recovered())
    for offset, kind in enumerate(("SimpleSMA", "Crossover")):
        told = Record("control", 0, offset, 0, None, codec().encode(a_strategy(kind)))
        shard.step("control", [told], codec())
    begun = time.process_time()
    for number, first in enumerate(range(0, len(ticks), entry)):
        shard.step("ticks.warm", ticks[first : first + entry], codec())
        shard.follow_to(number + 1)
        shard.hashed.clear()
        if first // CHECKPOINT_TICKS != (first + entry) // CHECKPOINT_TICKS:
            shard.checkpoint({})
    return time.process_time() - begun


if __name__ == "__main__":
    main()
