"""Backtest of SimpleSMA over recorded ticks of SPY, in one process; ticks a second.

By the clock, and by the CPU seconds that the process had, which others on the machine change less.

`columns`: normalized ticks in columns, as from a cache; each becomes a fact as the engine comes to
it. `records`: their Avro as on Kafka, decoded on the way. `raw`: the venue's events, parsed and
normalized on the way. Reading the tape is not in it. Run, with HADRON_TAPES set:
python -m tests.benchmarks.bench_backtest
"""

from __future__ import annotations

import argparse
import gc
import os
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from connectors.tapes import tape
from hadron.backtest.batches import Batch, Controls, Raws, Ticks, ticks_at
from hadron.backtest.feeding import appended, decoded, recorded
from hadron.backtest.models import Named
from hadron.backtest.run import Backtest, Settings
from hadron.fold import Received, Slice
from hadron.market.facts import TradePrinted
from hadron.market.normalizer import Normalizer
from hadron.ports import Record
from hadron.venues.massive.parse import parse
from tests.benchmarks.showing import show
from tests.support import a_strategy, codec, some_rules
from tests.unit.desk.facts import some_limits

RULES = some_rules(open_position_is_fast=False)
CONTROL = Controls([RULES, some_limits(position=1_000, notional=10**6), a_strategy()])
REALISTIC = Named(fees="per-share:0.005", latency="fixed:5ms", slippage="none")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--symbol", default="SPY")
    parser.add_argument("--runs", type=int, default=5)
    asked = parser.parse_args()
    folder = os.environ.get("HADRON_TAPES")
    if not folder:
        parser.error("HADRON_TAPES is not set; the folder of recorded ticks is wanted")
    raws = list(appended(recorded(tape(Path(folder), symbols=(asked.symbol,))), partitions=1))
    ticks = normalized(raws)
    columns = list(zip(*(_fields(tick) for tick in ticks), strict=True))
    offsets = range(len(ticks))
    records = [
        Record("ticks.warm", 0, offset, 0, None, codec().encode(tick))
        for offset, tick in enumerate(ticks)
    ]
    few = min(2, asked.runs)
    feeds: dict[str, tuple[Callable[[], Iterable[Batch]], Named, int]] = {
        "columns": (lambda: [_ticks(columns, offsets)], Named(), asked.runs),
        "columns_fees_latency": (lambda: [_ticks(columns, offsets)], REALISTIC, asked.runs),
        "facts": (lambda: [ticks_at(ticks, offsets)], Named(), asked.runs),
        "records": (lambda: decoded(records, codec()), Named(), few),
        "raw": (lambda: raws, Named(), 1),
    }
    found: dict[str, object] = {"ticks": len(ticks)}
    for name, (feed, models, runs) in feeds.items():
        of_feed = measured(feed, len(ticks), models=models, runs=runs)
        found |= {f"{name}_{figure}": value for figure, value in of_feed.items()}
    show(found)


def normalized(raws: Iterable[Raws]) -> list[TradePrinted]:
    """The ticks of raw events."""
    normalizer = Normalizer({"massive": parse})
    normalizer.step(Slice("control", 0, [Received(0, RULES)]))
    ticks: list[TradePrinted] = []
    for batch in raws:
        slice = Slice("raw.massive", 0, [one.received for one in batch.records])
        ticks += normalizer.step(slice)
    return ticks


def measured(
    feed: Callable[[], Iterable[Batch]], ticks: int, *, models: Named, runs: int
) -> dict[str, Any]:
    """The best of some runs, by the clock and by the CPU."""
    wall = cpu = 0.0
    for _ in range(runs):
        backtest = Backtest(Settings(models=models), {"massive": parse})
        backtest.run([CONTROL])
        gc.collect()
        began = time.perf_counter(), time.process_time()
        backtest.run(feed())
        wall = max(wall, ticks / (time.perf_counter() - began[0]))
        cpu = max(cpu, ticks / (time.process_time() - began[1]))
    result = backtest.result(codec())
    return {
        "ticks_per_s": round(wall),
        "ticks_per_cpu_s": round(cpu),
        "decisions": len(result.decisions),
        "sha256": result.sha256[:16],
    }


def _fields(tick: TradePrinted) -> tuple[object, ...]:
    return tuple(getattr(tick, name) for name in TradePrinted.__struct_fields__)


def _ticks(columns: Sequence[Sequence[Any]], offsets: range) -> Ticks:
    at_ns = columns[TradePrinted.__struct_fields__.index("at_ns")]
    return Ticks(map(TradePrinted, *columns), offsets, (at_ns[0], at_ns[-1]))


if __name__ == "__main__":
    main()
