"""A scan of 10,000 instruments: their newest bars through `signals`, to the ranked list.

From bars in memory: reading them is not in it. By the clock, and by CPU time, which others on the
machine change less.
Run: python -m tests.benchmarks scan
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from hadron.market.bars import Bars
from hadron.strategy.registry import KINDS
from hadron.strategy.scan import scan
from hadron.strategy.vectorised import wishes
from tests.bars import MINUTE_NS
from tests.benchmarks.frames import SEED
from tests.benchmarks.showing import show
from tests.support import T0_NS

PARAMETERS = {"Crossover": {"fast": 20, "slow": 100}}  # by default it wants more bars
ROUNDS = 15
ALONE = 500  # instruments that are asked about one by one, to compare


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--instruments", type=int, default=10_000)
    parser.add_argument("--bars", type=int, default=120, help="of each")
    asked = parser.parse_args()
    universe = instruments(asked.instruments, asked.bars)
    result: dict[str, Any] = {"instruments": len(universe), "bars_of_each": asked.bars}
    for name, kind in KINDS.items():
        made = kind.Parameters(**PARAMETERS.get(name, {}))
        rounds = [_timed(lambda: scan(kind, made, universe)) for _ in range(ROUNDS)]  # noqa: B023
        walls, cpus, hits = zip(*rounds, strict=True)
        _, cpu, _ = _timed(lambda: [wishes(kind, made, bars) for bars in universe[:ALONE]])  # noqa: B023
        result |= {
            f"{name}_ms": round(statistics.median(walls), 1),
            f"{name}_slowest_ms": round(max(walls), 1),
            f"{name}_cpu_ms": round(statistics.median(cpus), 1),
            f"{name}_one_by_one_cpu_ms": round(cpu * len(universe) / min(ALONE, len(universe)), 1),
            f"{name}_hits": len(hits[0]),
        }
    show(result)


def instruments(count: int, bars: int) -> list[Bars]:
    """Seeded walks in cents, each of an instrument of its own."""
    draw = np.random.default_rng(SEED)
    walks = draw.integers(-9, 10, (count, bars)).cumsum(axis=1)
    closes = draw.integers(2_000, 50_000, (count, 1)) + walks
    opens = np.concatenate((closes[:, :1], closes[:, :-1]), axis=1)
    volumes = draw.integers(100, 10_000, (count, bars))
    at_ns = T0_NS + np.arange(bars) * MINUTE_NS
    return [
        Bars(
            f"eq:S{n}",
            2,
            MINUTE_NS,
            at_ns,
            opens[n],
            np.maximum(opens[n], closes[n]),
            np.minimum(opens[n], closes[n]),
            closes[n],
            volumes[n],
        )
        for n in range(count)
    ]


def _timed(run: Callable[[], Any]) -> tuple[float, float, Any]:
    """Milliseconds by the clock and of CPU, and what came of it."""
    began = time.perf_counter(), time.thread_time()
    found = run()
    return (time.perf_counter() - began[0]) * 1e3, (time.thread_time() - began[1]) * 1e3, found


if __name__ == "__main__":
    main()
