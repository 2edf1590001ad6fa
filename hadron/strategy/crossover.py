"""Crossover: follow a fast moving average when it crosses a slow one, by limit orders."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import msgspec

from hadron.market.facts import TradePrinted
from hadron.strategy.facts import Side
from hadron.strategy.strategy import Book, Signal, Strategy, check_quantity
from hadron.values import number

if TYPE_CHECKING:
    from hadron.market.bars import Bars, Floats
    from hadron.market.panel import Panel
    from hadron.strategy.vectorised import Sides


class CrossoverParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The averages' lengths in trades, and how far apart they must be to have crossed."""

    fast: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 50
    slow: Annotated[int, msgspec.Meta(ge=2, le=100_000)] = 200
    threshold_bps: Annotated[int, msgspec.Meta(ge=0, le=10_000)] = 1
    quantity: Decimal = Decimal(100)

    def __post_init__(self) -> None:
        check_quantity(self.quantity)
        if self.fast >= self.slow:
            raise ValueError(f"fast is {self.fast}; wanted less than slow, which is {self.slow}")


@dataclass(slots=True)
class CrossoverState:
    """Both averages, how many trades they took, and the side decided last."""

    fast: float = 0.0
    slow: float = 0.0
    trades: int = 0
    side: Side | None = None


class Crossover(Strategy):
    """Exponential averages of trade prices, weight 2 / (n + 1), begun at the first price.

    Silent until `slow` trades were seen. Decides when the averages lie `threshold_bps` or more
    apart, the other way than at its last decision. Limit orders at the opposite side: a buy at the
    ask, a sell at the bid; while that side is unknown it waits. Floats are added, multiplied and
    divided only, which IEEE 754 rounds alike on every machine.
    """

    version = "1"
    orders: ClassVar[Literal["market", "limit"]] = "limit"
    panels: ClassVar[Literal[True]] = True
    Parameters = CrossoverParameters
    State = CrossoverState

    def __init__(self, parameters: CrossoverParameters, state: CrossoverState) -> None:
        self.state = state
        self._parameters = parameters
        self._fast_weight = 2 / (parameters.fast + 1)
        self._slow_weight = 2 / (parameters.slow + 1)
        self._threshold = parameters.threshold_bps / 10_000

    def on_trade(self, trade: TradePrinted, book: Book) -> Signal | None:
        """Take a trade. Prices of 0 or less are passed over."""
        if trade.price <= 0:
            return None
        price = trade.price / 10**trade.price_scale
        state = self.state
        if not state.trades:
            state.fast = state.slow = price
        state.trades += 1
        state.fast = fast = state.fast + self._fast_weight * (price - state.fast)
        state.slow = slow = state.slow + self._slow_weight * (price - state.slow)
        apart, threshold = fast - slow, self._threshold * slow
        if state.trades < self._parameters.slow or not apart or -threshold < apart < threshold:
            return None
        side: Side = "buy" if apart > 0 else "sell"
        limit_price = None
        if side != state.side:
            limit_price = book.ask if side == "buy" else book.bid
        if limit_price is None:
            return None
        state.side = side
        return self._signal(side, limit_price)

    def signals(self, bars: Bars | Panel) -> Sides:
        """As of `Scannable`."""
        from hadron.strategy.vectorised import by_distance

        slow = _average(bars, self._parameters.slow)[..., self._parameters.slow - 1 :]
        fast = _average(bars, self._parameters.fast)[..., self._parameters.slow - 1 :]
        return by_distance(bars, fast - slow, self._threshold * slow)

    def _signal(self, side: Side, limit_price: Decimal) -> Signal:
        state, parameters = self.state, self._parameters
        apart_bps = abs(state.fast - state.slow) / state.slow * 10_000
        # As far apart as this makes half of the certainty.
        half_bps = max(parameters.threshold_bps, 1)
        evidence = {"fast": repr(state.fast), "slow": repr(state.slow), "limit": str(limit_price)}
        metadata = {
            "fast": str(parameters.fast),
            "slow": str(parameters.slow),
            "threshold_bps": str(parameters.threshold_bps),
        }
        confidence = number(min(int(5_000 * apart_bps / half_bps), 10_000), 4)
        return Signal(side, parameters.quantity, confidence, limit_price, evidence, metadata)


def _average(bars: Bars | Panel, length: int) -> Floats:
    """The average after each bar: the arithmetic of `on_trade`, in its order."""
    import numpy as np

    weight = 2 / (length + 1)

    def make() -> Floats:
        prices = bars.close / bars.unit
        # One instrument's are quicker as Python's floats; of many, each step is one of columns.
        steps = prices.tolist() if prices.ndim == 1 else list(prices.T)
        known = accumulate(steps, lambda known, price: known + weight * (price - known))
        return np.array(list(known), np.float64).reshape(prices.T.shape).T

    return bars.derived(f"exponential {length}", make)
