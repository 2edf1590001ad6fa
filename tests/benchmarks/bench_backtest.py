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
from hadron.backtest.batches import Batch, Controls, Ticks, ticks_at
from hadron.backtest.feeding import appended, decoded, recorded
from hadron.backtest.models import Named
from hadron.backtest.run import Backtest, Settings
from hadron.fold import Received, Slice
from hadron.market.facts import TradePrinted
from hadron.market.normalizer import Normalizer
from hadron.ports import Record
from hadron.venues.massive.parse import parse
from tests.benchmarks.measuring import show
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
    normalizer = Normalizer({"massive": parse})
    normalizer.step(Slice("control", 0, [Received(0, RULES)]))
    ticks: list[TradePrinted] = []
    for batch in raws:
        slice = Slice("raw.massive", 0, [one.received for one in batch.records])
        ticks += normalizer.step(slice)
    columns = list(zip(*(_fields(tick) for tick in ticks), strict=True))
    offsets = range(len(ticks))
    records = [
        Record("ticks.warm", 0, offset, 0, None, codec().encode(tick))
        for offset, tick in enumerate(ticks)
    ]
    found: dict[str, object] = {"ticks": len(ticks)}

    def measure(name: str, feed: Callable[[], Iterable[Batch]], models: Named, runs: int) -> None:
        wall = cpu = 0.0
        for _ in range(runs):
            backtest = Backtest(Settings(models=models), {"massive": parse})
            backtest.run([CONTROL])
            gc.collect()
            began = time.perf_counter(), time.process_time()
            backtest.run(feed())
            wall = max(wall, len(ticks) / (time.perf_counter() - began[0]))
            cpu = max(cpu, len(ticks) / (time.process_time() - began[1]))
        result = backtest.result(codec())
        found[f"{name}_ticks_per_s"] = round(wall)
        found[f"{name}_ticks_per_cpu_s"] = round(cpu)
        found[f"{name}_decisions"] = len(result.decisions)
        found[f"{name}_sha256"] = result.sha256[:16]

    measure("columns", lambda: [_ticks(columns, offsets)], Named(), asked.runs)
    measure("columns_fees_latency", lambda: [_ticks(columns, offsets)], REALISTIC, asked.runs)
    measure("facts", lambda: [ticks_at(ticks, offsets)], Named(), asked.runs)
    measure("records", lambda: decoded(records, codec()), Named(), 2)
    measure("raw", lambda: raws, Named(), 1)
    show(found)


def _fields(tick: TradePrinted) -> tuple[object, ...]:
    return tuple(getattr(tick, name) for name in TradePrinted.__struct_fields__)


def _ticks(columns: Sequence[Sequence[Any]], offsets: range) -> Ticks:
    at_ns = columns[TradePrinted.__struct_fields__.index("at_ns")]
    return Ticks(map(TradePrinted, *columns), offsets, (at_ns[0], at_ns[-1]))


if __name__ == "__main__":
    main()
