"""Walk-forward: choose by the past, be judged by what came after."""

from __future__ import annotations

import msgspec
import numpy as np

from hadron.backtest.bars.reporting import activity
from hadron.backtest.bars.trading import Market, Traded
from hadron.backtest.report.curve import Curve
from hadron.backtest.report.figures import Activity
from hadron.errors import SettingsError


class Window(msgspec.Struct, frozen=True):
    """Places of bars: trained on [train, test), tested on [test, end)."""

    train: int
    test: int
    end: int


def windows(bars: int, *, tests: int, train_spans: int) -> list[Window]:
    """So many tests of equal length, one after the other up to the last bar.

    Each is trained on the `train_spans` such lengths before it. Raise SettingsError if a test
    would have no bar.
    """
    spans = tests + train_spans
    if bars < spans:
        raise SettingsError(
            [
                f"--walk-forward: {tests} tests and {train_spans} spans to train on; there are only"
                f" {bars} bars"
            ]
        )
    cuts = [bars * n // spans for n in range(spans + 1)]
    return [Window(cuts[n], cuts[n + train_spans], cuts[n + train_spans + 1]) for n in range(tests)]


def span(
    market: Market, traded: Traded, *, begin: int, end: int, quantity: float
) -> tuple[Curve, Activity]:
    """What a run earned within the bars [begin, end), as if it had begun and ended there.

    It enters with the position that it held, and leaves with the one it holds, each for what
    trading that at the close before costs; strategies are warm, for they saw the bars before.
    Trades count where they close.
    """
    bars, held = market.bars, traded.held
    before = traded.equity[begin - 1] if begin else market.capital
    equity = market.capital + (traded.equity[begin:end] - before)
    closes = market.closes[begin:end]
    if begin:
        equity -= market.cost(held[begin - 1], market.closes[begin - 1])
    if len(equity):
        equity[-1] -= market.cost(held[end - 1], closes[-1])
    curve = Curve(
        capital=market.capital,
        begin_ns=int(bars.at_ns[begin]),
        end_ns=int(bars.at_ns[end - 1]) + bars.width_ns,
        at_ns=market.ends_ns[begin:end],
        equity=equity,
        gross=np.abs(held[begin:end]) * closes,
    )
    return curve, activity(traded, quantity, begin=begin, end=end)
