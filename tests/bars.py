"""Bars for tests, and the law that strategies with two selves keep."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
from hypothesis import strategies as st

from hadron.market.bars import Bars
from hadron.strategy.strategy import Strategy
from hadron.strategy.vectorised import NUMBER, Vectorised, asked
from hadron.values import number
from tests.support import T0_NS

MINUTE_NS = 60_000_000_000


def bars_at(closes: Sequence[int], *, opens: Sequence[int] = (), scale: int = 2) -> Bars:
    """Minute bars with these closes; each opens at the close before where nothing is said."""
    close = np.array(closes, np.int64)
    opening = np.array(opens, np.int64) if opens else np.concatenate((close[:1], close[:-1]))
    return Bars(
        instrument="eq:AAPL",
        scale=scale,
        width_ns=MINUTE_NS,
        at_ns=T0_NS + np.arange(len(close)) * MINUTE_NS,
        open=opening,
        high=np.maximum(opening, close),
        low=np.minimum(opening, close),
        close=close,
        volume=np.full(len(close), 100),
    )


@st.composite
def any_bars(draw: st.DrawFn, *, most: int = 120) -> Bars:
    """Walks that tremble, stand still and jump, in few steps and in many."""
    level = draw(st.sampled_from([3, 100, 10_000, 2**39]))
    steps = st.sampled_from([0, 0, 1, -1, 2, -2, level // 50, -(level // 50)])
    count = draw(st.integers(0, most))
    walk = level + np.cumsum(draw(st.lists(steps, min_size=count, max_size=count)), dtype=np.int64)
    gaps = draw(st.lists(st.integers(-2, 2), min_size=count, max_size=count))
    closes = np.clip(walk, 1, 2**40 - 1)
    opens = np.clip(walk + np.array(gaps, np.int64), 1, 2**40 - 1)
    return bars_at(closes.tolist(), opens=opens.tolist(), scale=draw(st.integers(0, 8)))


def agree(kind: type[Strategy], parameters: msgspec.Struct, bars: Bars) -> None:
    """Hold what a strategy says of all bars at once to what it says bar by bar, bit for bit."""
    strategy = kind(parameters, kind.State())
    assert isinstance(strategy, Vectorised)
    sides = strategy.signals(bars)
    said = asked(kind, parameters, bars)

    assert sides.dtype == np.int8
    assert sides.tolist() == [NUMBER[signal.side] if signal else 0 for signal in said]
    for place, signal in enumerate(said):
        if signal is not None:
            close = number(int(bars.close[place]), bars.scale)
            assert signal.limit_price == (close if strategy.orders == "limit" else None)
            assert signal.quantity == parameters.quantity  # type: ignore[attr-defined]
