"""A year of minute bars: from a cold start to figures, warm, and a thousand sets of parameters.

Run: python -m tests.benchmarks.bench_vector
The same beside vectorbt: python -m tests.benchmarks.peers vectorbt
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from connectors.minute_bars import minute_bars
from hadron.backtest.bars.costs import costs
from hadron.backtest.bars.reporting import bar_figures
from hadron.backtest.bars.trading import Market, Traded
from hadron.backtest.report.figures import Figures
from hadron.backtest.search.space import axis, candidates
from hadron.backtest.search.trial import Trying
from hadron.cli.backtest.pool import tried
from hadron.strategy.sma_cross import SMACross, SMACrossParameters
from hadron.strategy.vectorised import wishes
from tests.benchmarks import year
from tests.benchmarks.showing import show

COSTS = ("--fees", "percent:0.01", "--slippage", "percent:0.01")
INSTRUMENT = f"eq:{year.SYMBOL}"
PARAMETERS = SMACrossParameters(fast=20, slow=100)
RANGES = ("fast=5:44:1", "slow=50:290:10")
CAPITAL = 100_000.0


def main() -> None:
    with TemporaryDirectory() as folder:
        year.write(Path(folder))
        show(measured(Path(folder)))


def measured(folder: Path) -> dict[str, Any]:
    """Of a folder with a year of bars; leaves the signals there, as `sides.npy`."""
    cold = [_cold(folder) for _ in range(3)]
    bars = minute_bars(folder, year.SYMBOL)
    market = Market(bars, costs=costs(COSTS[1], COSTS[3]), capital=CAPITAL)
    np.save(folder / "sides.npy", wishes(SMACross, PARAMETERS, bars).sides)

    def warm() -> tuple[Traded, Figures]:
        traded = market.trade(wishes(SMACross, PARAMETERS, bars), quantity=100.0)
        return traded, bar_figures(market, traded, quantity=100.0)

    traded, figures = warm()
    assert [round(one["figures"]["profit"], 6) for _, one in cold] == [round(figures.profit, 6)] * 3
    sets = candidates(SMACross, dict(map(axis, RANGES)))
    trying = Trying(market, SMACross, "sharpe", [], 252.0)
    one_core_s, _ = _timed(lambda: tried(trying, sets, jobs=1, show=lambda *_: None))
    sets_s, trials = _timed(lambda: tried(trying, sets, jobs=0, show=lambda *_: None))
    return {
        "bars": len(bars),
        "cold_s": round(min(seconds for seconds, _ in cold), 3),
        "cold_slowest_s": round(max(seconds for seconds, _ in cold), 3),
        "warm_s": round(statistics.median(_timed(warm)[0] for _ in range(20)), 4),
        "sets": len(trials),
        "sets_s": round(sets_s, 2),
        "sets_one_process_s": round(one_core_s, 2),
        "trades": figures.trades,
        "orders": len(traded.places),
        "profit": round(figures.profit, 6),
    }


def _cold(folder: Path) -> tuple[float, Any]:
    """A new process, from its start to its report on stdout."""
    command = ("-m", "hadron", "backtest", "bars", "SMACross", "--json", "--tape", str(folder))
    seconds, said = _timed(
        lambda: (
            subprocess.run(
                [sys.executable, *command, "--instrument", INSTRUMENT, *COSTS],
                capture_output=True,
                check=True,
            ).stdout
        )
    )
    return seconds, json.loads(said)


def _timed(run: Callable[[], Any]) -> tuple[float, Any]:
    begun_s = time.perf_counter()
    found = run()
    return time.perf_counter() - begun_s, found


if __name__ == "__main__":
    main()
