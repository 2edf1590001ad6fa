"""Trading all bars at once, held to a loop that goes from bar to bar."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hadron.backtest.bars.costs import Costs, costs
from hadron.backtest.bars.trading import Market
from hadron.errors import SettingsError
from hadron.market.bars import Bars
from hadron.strategy.vectorised import Wishes
from tests.bars import any_bars, bars_at


class Filled(NamedTuple):
    place: int
    side: int
    price: float
    fee: float


class Account:
    """The same fill model, one event after the other."""

    def __init__(self, costs: Costs, quantity: float, capital: float) -> None:
        self._costs, self._quantity, self._capital = costs, quantity, capital
        self._cash, self.held = 0.0, 0.0
        self.fills: list[Filled] = []

    def meet(self, place: int, side: int, limit: float, opening: float) -> None:
        """An order of the bar before meets the open of this one."""
        if limit and (opening > limit if side > 0 else opening < limit):
            return
        price = opening * (1.0 + side * self._costs.slippage_rate)
        if limit:
            price = min(price, limit) if side > 0 else max(price, limit)
        fee = self._quantity * (self._costs.fee_per_unit + self._costs.fee_rate * price)
        self._cash += -(self._quantity * side) * price - fee
        self.held += self._quantity * side
        self.fills.append(Filled(place, side, price, fee))

    def worth(self, close: float) -> float:
        return self._capital + (self._cash + self.held * close)


some_costs = st.builds(
    Costs,
    *(st.sampled_from([0.0, each]) for each in (0.005, 0.001, 0.0002)),
)


@st.composite
def some_wishes(draw: st.DrawFn, bars: Bars) -> Wishes:
    size = len(bars)
    sides = draw(st.lists(st.sampled_from([0, 0, 1, -1]), min_size=size, max_size=size))
    limited = draw(st.lists(st.booleans(), min_size=size, max_size=size))
    limits = np.where(np.array(limited, bool), bars.close, 0)
    return Wishes(np.array(sides, np.int8), limits if draw(st.booleans()) else None)


@given(st.data(), any_bars(most=60), some_costs, st.sampled_from([1.0, 100.0, 0.25]))
def test_trading_at_once_is_trading_bar_by_bar_bit_for_bit(
    data: st.DataObject, bars: Bars, costs: Costs, quantity: float
) -> None:
    wishes = data.draw(some_wishes(bars))

    traded = Market(bars, costs=costs, capital=1000.0).trade(wishes, quantity=quantity)

    account, held, equity = Account(costs, quantity, 1000.0), [], []
    for place in range(len(bars)):
        if place and (side := int(wishes.sides[place - 1])):
            limit = 0 if wishes.limits is None else int(wishes.limits[place - 1])
            opening = int(bars.open[place]) / bars.unit
            account.meet(place, side, limit / bars.unit, opening)
        held.append(account.held)
        equity.append(account.worth(int(bars.close[place]) / bars.unit))
    columns = (traded.places, traded.sides, traded.prices, traded.fees)
    assert list(zip(*(column.tolist() for column in columns), strict=True)) == account.fills
    assert (traded.held.tolist(), traded.equity.tolist()) == (held, equity)


def test_a_wish_is_filled_at_the_next_open_and_costs_what_it_costs() -> None:
    bars = bars_at([100_00, 101_00, 103_00], opens=[100_00, 102_00, 101_00])
    wishes = Wishes(np.array([1, -1, 1], np.int8), None)

    traded = Market(bars, costs=Costs(0.01, 0.0, 0.001), capital=0.0).trade(wishes, quantity=10)

    # bought at 102 + 0.102, sold at 101 - 0.101; the last wish meets no open
    assert traded.prices.tolist() == pytest.approx([102.102, 100.899])
    assert traded.held.tolist() == [0, 10, 0]
    assert traded.equity.tolist() == pytest.approx([0, 10 * (101 - 102.102) - 0.1, -12.03 - 0.2])


@pytest.mark.parametrize(
    ("fees", "slippage", "expected"),
    [
        ("none", "none", Costs()),
        ("per-share:0.005", "none", Costs(fee_per_unit=0.005)),
        ("percent:0.1", "percent:0.02", Costs(fee_rate=0.001, slippage_rate=0.0002)),
    ],
)
def test_costs_are_named_as_the_exchange_names_them(
    fees: str, slippage: str, expected: Costs
) -> None:
    assert costs(fees, slippage) == expected


@pytest.mark.parametrize(
    ("fees", "slippage", "sentence"),
    [
        ("free", "none", "--fees: 'free'; on bars wanted none, per-share:0.005 or percent:0.1"),
        ("percent", "none", "--fees: 'percent'; on bars wanted"),
        ("percent:-1", "none", "--fees: 'percent:-1'; on bars wanted"),
        ("none:1", "none", "--fees: 'none:1'; on bars wanted"),
        ("none", "book:1", "--slippage: 'book:1'; on bars wanted none or percent:0.02"),
        ("none", "percent:100", "--slippage: 'percent:100'; on bars wanted"),
        ("none", "percent:nan", "--slippage: 'percent:nan'; on bars wanted"),
    ],
)
def test_a_cost_that_is_not_known_on_bars_is_named(fees: str, slippage: str, sentence: str) -> None:
    with pytest.raises(SettingsError) as caught:
        costs(fees, slippage)

    assert str(caught.value).startswith(sentence)
