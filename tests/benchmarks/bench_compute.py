"""Budget (a): compute inside one process, from a frame to an order, in microseconds an event.

The same code as in the streams, one event at a time: split, recorded, decoded, stepped, encoded,
routed; but no Kafka, no socket, no event loop, no waiting. What a trader waits for is budget (c),
`latency`. `folds_alone` is without what the log costs: nothing is encoded, decoded or routed. In
batches: slices as large as a busy stream takes them.
Run: python -m tests.benchmarks compute
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from hadron.market.bars import Bars
from hadron.ports import Record
from hadron.strategy.sma import SimpleSMA, SMAParameters
from tests.bars import bars_at
from tests.benchmarks.frames import CONTROLS, SEED, Frame, recorded
from tests.benchmarks.inside import Folds, Inside
from tests.benchmarks.showing import quantiles, show

CLOCKS: dict[str, Callable[[], int]] = {
    "wall": time.perf_counter_ns,
    "cpu": time.thread_time_ns,  # leaves out what others on the machine took
}
STAGES = {
    "market_data": "frame to tick: feed and normalize",
    "signal": "tick to decision: engine with SimpleSMA",
    "risk": "decision to verdict: desk",
    "routing": "verdict to order: gateway, simulated",
}
SLICE = 256
BARS = 1_000_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--clock", choices=sorted(CLOCKS), default="wall")
    asked = parser.parse_args()
    frames, source = recorded(asked.events)
    result: dict[str, object] = {"budget": "(a) compute only", "events": f"{len(frames)} {source}"}
    now = CLOCKS[asked.clock]
    result |= one_by_one(frames, Inside(CONTROLS), now)
    alone = one_by_one(frames, Folds(CONTROLS), now)
    result |= {f"folds_alone_{name}": figure for name, figure in alone.items()}
    result |= in_batches(frames, now)
    show({"clock": asked.clock} | result)


def one_by_one(
    frames: Sequence[Frame], inside: Inside | Folds, now: Callable[[], int]
) -> dict[str, object]:
    """Microseconds of each stage: of all events, and of those that led to an order."""
    spent: dict[str, list[float]] = {}
    warm = len(frames) // 10
    for number, frame in enumerate(frames):
        took = _through(inside, frame, number, now)
        if number < warm:
            continue
        ordered = len(took) == len(STAGES)
        for stage, us in zip(STAGES, took, strict=False):
            spent.setdefault(stage, []).append(us)
        if ordered:
            spent.setdefault("signal_that_decided", []).append(took[1])
        spent.setdefault("frame_to_order" if ordered else "frame_to_no_decision", []).append(
            sum(took)
        )
    found: dict[str, object] = {}
    for stage, values in spent.items():
        found[f"{stage}_events"] = len(values)
        found |= {f"{stage}_{name}_us": us for name, us in quantiles(values).items()}
    return found


def _through(
    inside: Inside | Folds, frame: Frame, number: int, now: Callable[[], int]
) -> list[float]:
    """Microseconds of each stage that the event came to."""
    at = [now()]
    raw: Any = inside.received(frame.payload, number=number, seen_ns=frame.at_ns)
    ticks: Any = inside.stepped("normalize", raw)
    at.append(now())
    said: Any = inside.stepped("engine", ticks)
    at.append(now())
    decided = [record for record in said if record.topic == "decisions"]
    rest = [record for record in said if record.topic != "decisions"]
    if decided:
        intents: Any = inside.stepped("desk", decided)
        at.append(now())
        orders: Any = inside.stepped("gateway", [one for one in intents if one.topic == "intents"])
        at.append(now())
        rest += orders
        if not orders or orders[0].topic != "orders":
            raise AssertionError(f"no order followed from the decision at {decided[0].offset}")
    inside.settle(rest)  # fills, marks and positions: before the next event, off the clock
    return [(after - before) / 1_000 for before, after in pairwise(at)]


def in_batches(frames: Sequence[Frame], now: Callable[[], int]) -> dict[str, object]:
    """Messages a second through one core: ticks in slices, and bars in columns."""
    inside = Inside(CONTROLS)
    spent_ns = {"normalize": 0, "engine": 0}
    raws = [
        record
        for number, frame in enumerate(frames)
        for record in inside.received(frame.payload, number=number, seen_ns=frame.at_ns)
    ]
    for first in range(0, len(raws), SLICE):
        began = now()
        ticks = inside.stepped("normalize", raws[first : first + SLICE])
        normalized = now()
        rest: list[Record] = []
        for lane in ("ticks.fast", "ticks.warm", "ticks.cold"):
            if some := [tick for tick in ticks if tick.topic == lane]:
                rest += inside.stepped("engine", some)
        spent_ns["engine"] += now() - normalized
        spent_ns["normalize"] += normalized - began
        inside.settle(rest)
    rates = {f"batch_{name}_per_s": round(len(raws) / ns * 1e9) for name, ns in spent_ns.items()}
    both = round(len(raws) / sum(spent_ns.values()) * 1e9)
    return {**rates, "batch_both_per_s": both, "vectorised_bars_per_s": _vectorised(now)}


def _vectorised(now: Callable[[], int]) -> int:
    """Bars a second through SimpleSMA's `signals`; a bar stands for many ticks, it is none."""
    walk = np.random.default_rng(SEED).integers(-3, 4, BARS).cumsum() + 10**6
    bars = bars_at(walk.tolist())
    best = min(_timed(bars, now) for _ in range(5))
    return round(BARS / best * 1e9)


def _timed(bars: Bars, now: Callable[[], int]) -> int:
    began = now()
    SimpleSMA(SMAParameters(), SimpleSMA.State()).signals(bars)
    return now() - began


if __name__ == "__main__":
    main()
