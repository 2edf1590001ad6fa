"""vectorbt on a year of minute bars. Runs in an environment of its own and imports nothing of ours.

Run: python vectorbt_year.py FOLDER [--sets]; FOLDER has the arrays of tests/benchmarks/year.py.
"""

import json
import sys
import time

BEGAN_S = time.perf_counter()

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
import vectorbt as vbt  # noqa: E402

FEES, SLIPPAGE, CAPITAL, QUANTITY = 0.0001, 0.0001, 100_000.0, 100.0
FAST, SLOW = 20, 100
FASTS, SLOWS = range(5, 45), range(50, 300, 10)
AT_ONCE = 100  # sets: all thousand at once would take several arrays of 800 MB


def main() -> None:
    arrays = np.load(f"{sys.argv[1]}/bars.npz")
    index = pd.date_range("2013-01-01", periods=len(arrays["close"]), freq="1min")
    bars = tuple(pd.Series(arrays[name], index) for name in ("close", "open"))
    found = figures(crossed(bars, [FAST], [SLOW]))
    result = {"version": vbt.__version__, "cold_s": time.perf_counter() - BEGAN_S}
    result |= {"trades": found["trades"][0], "profit": found["profit"][0]}
    if "--sets" in sys.argv:
        result |= measured(bars)
        sides = pd.Series(np.load(f"{sys.argv[1]}/sides.npy"), index)
        same = figures(traded(bars, sides > 0, sides < 0))
        result |= {"profit_by_our_signals": same["profit"][0], "orders": same["orders"][0]}
    print(json.dumps(result))


def measured(bars):  # type: ignore[no-untyped-def]
    """Warm, and a thousand sets."""
    warm_s = []
    for _ in range(10):
        begun_s = time.perf_counter()
        figures(crossed(bars, [FAST], [SLOW]))
        warm_s.append(time.perf_counter() - begun_s)
    pairs = [(fast, slow) for fast in FASTS for slow in SLOWS]
    begun_s, profits = time.perf_counter(), []
    for n in range(0, len(pairs), AT_ONCE):
        fasts, slows = zip(*pairs[n : n + AT_ONCE], strict=True)
        profits += figures(crossed(bars, list(fasts), list(slows)))["profit"]
    return {
        "warm_s": sorted(warm_s)[len(warm_s) // 2],
        "sets_s": time.perf_counter() - begun_s,
        "sets": len(profits),
    }


def crossed(bars, fasts, slows):  # type: ignore[no-untyped-def]
    """Trade where its own averages cross."""
    fast, slow = vbt.MA.run(bars[0], fasts), vbt.MA.run(bars[0], slows)
    return traded(bars, fast.ma_crossed_above(slow), fast.ma_crossed_below(slow))


def traded(bars, up, down):  # type: ignore[no-untyped-def]
    """Decided at the close, filled at the next open; each crossing trades one quantity."""
    close, opening = bars
    return vbt.Portfolio.from_signals(
        close,
        up.vbt.signals.fshift(1),
        down.vbt.signals.fshift(1),
        price=opening,
        size=QUANTITY,
        accumulate=True,
        upon_opposite_entry="reversereduce",
        direction="both",
        fees=FEES,
        slippage=SLIPPAGE,
        init_cash=CAPITAL,
        freq="1min",
    )


def figures(portfolio):  # type: ignore[no-untyped-def]
    """The same figures as ours, as far as it has them; its ratios are of minutes, not of days."""
    found = {
        "profit": portfolio.total_profit(),
        "return": portfolio.total_return(),
        "sharpe": portfolio.sharpe_ratio(),
        "sortino": portfolio.sortino_ratio(),
        "drawdown": portfolio.max_drawdown(),
        "trades": portfolio.trades.count(),
        "hits": portfolio.trades.win_rate(),
        "orders": portfolio.orders.count(),
        "fees": portfolio.orders.fees.sum(),
    }
    return {name: np.atleast_1d(value).tolist() for name, value in found.items()}


main()
