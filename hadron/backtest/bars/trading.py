"""Orders of bar strategies, filled at the next bar's open, all at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hadron.backtest.bars.costs import Costs
from hadron.market.bars import Bars, Floats
from hadron.strategy.vectorised import Sides, Wishes


@dataclass(frozen=True, slots=True)
class Traded:
    """What became of a strategy's wishes. Columns of fills first, then columns of bars.

    Money is in floats, rounded as IEEE 754 rounds sums made in the order of time.
    """

    places: NDArray[np.intp]  # the bar at whose open it was filled
    sides: Sides
    prices: Floats
    fees: Floats
    held: Floats  # after the open, below 0 is short
    equity: Floats  # at the close


class Market:
    """Bars to trade in, prepared once for many strategies.

    A wish at a bar's close is an order at the next bar's open; of the last bar it comes to nothing.
    It is filled whole, at the open made worse by slippage. A limit order is filled if the open is
    at its limit or better, never worse than its limit, and else it lapses. Nothing is borrowed or
    refused: capital only says what profits are compared with.
    """

    def __init__(self, bars: Bars, *, costs: Costs, capital: float) -> None:
        self.bars = bars
        self.capital = capital
        self.costs = costs
        self._opens = bars.open / bars.unit
        self.closes = bars.close / bars.unit
        self.ends_ns = bars.ends_ns - 1  # a bar that ends at midnight is of the day before

    def trade(self, wishes: Wishes, *, quantity: float) -> Traded:
        """Trade one quantity at each wish."""
        decided = np.flatnonzero(wishes.sides[:-1])
        if wishes.limits is not None and len(decided):
            decided = decided[self._fillable(wishes, decided)]
        places, sides = decided + 1, wishes.sides[decided]
        prices = self._prices(wishes, places)
        fees = quantity * (self.costs.fee_per_unit + self.costs.fee_rate * prices)
        cash = np.cumsum(-(quantity * sides) * prices - fees)
        held = np.cumsum(quantity * sides)
        lasted = np.diff(places, prepend=0, append=len(self.bars))
        held_by_bar = np.repeat(np.concatenate(([0.0], held)), lasted)
        cash_by_bar = np.repeat(np.concatenate(([0.0], cash)), lasted)
        equity = self.capital + (cash_by_bar + held_by_bar * self.closes)
        return Traded(places, sides, prices, fees, held_by_bar, equity)

    def cost(self, held: float, price: float) -> float:
        """What it costs to trade a position at a price, slippage and fees."""
        rate = self.costs.fee_rate + self.costs.slippage_rate
        return abs(held) * (self.costs.fee_per_unit + rate * price)

    def _fillable(self, wishes: Wishes, decided: NDArray[np.intp]) -> NDArray[np.bool_]:
        assert wishes.limits is not None
        sides, limits = wishes.sides[decided], wishes.limits[decided]
        better = sides * self.bars.open[decided + 1] <= sides * limits
        found: NDArray[np.bool_] = better | (limits == 0)
        return found

    def _prices(self, wishes: Wishes, places: NDArray[np.intp]) -> Floats:
        sides = wishes.sides[places - 1]
        prices = self._opens[places] * (1.0 + sides * self.costs.slippage_rate)
        if wishes.limits is None:
            return prices
        limits = wishes.limits[places - 1] / self.bars.unit
        bound = sides * np.minimum(sides * prices, sides * limits)
        return np.where(limits == 0, prices, bound)
