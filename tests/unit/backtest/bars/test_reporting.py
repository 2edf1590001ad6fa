"""Figures of strategies that traded bars."""

from __future__ import annotations

import warnings
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hadron.backtest.bars.costs import Costs
from hadron.backtest.bars.reporting import activity, bar_figures, bar_report, fills
from hadron.backtest.bars.trading import Market
from hadron.backtest.trips import round_trips
from hadron.market.bars import Bars
from hadron.strategy.vectorised import Wishes
from tests.bars import any_bars, bars_at


def wished(*sides: int) -> Wishes:
    return Wishes(np.array(sides, np.int8), None)


@given(any_bars(most=40), st.lists(st.sampled_from([0, 1, -1]), min_size=40, max_size=40))
def test_the_columns_tell_the_same_trades_as_the_fills(bars: Bars, sides: list[int]) -> None:
    market = Market(bars, costs=Costs(0.01, 0.001, 0.0001), capital=1e6)
    traded = market.trade(wished(*sides[: len(bars)]), quantity=100.0)

    trips = round_trips(fills(market, traded, strategy="x", quantity=Decimal(100)))

    found = activity(traded, 100.0)
    # Fills are stated at 8 decimals, and floats are rounded.
    rounding = 1e-6 * (1 + len(traded.places)) + 1e-13 * found.notional
    assert found.nets.tolist() == pytest.approx([float(trip.net) for trip in trips], abs=rounding)


def test_a_report_of_bars_adds_up() -> None:
    bars = bars_at([100_00, 102_00, 101_00, 105_00, 104_00], opens=[100_00] * 5)
    market = Market(bars, costs=Costs(fee_per_unit=0.01), capital=1_000.0)
    traded = market.trade(wished(1, 0, -1, 1, 0), quantity=1)

    made = bar_report(market, traded, strategy="cross", quantity=Decimal(1), run={})

    [share] = made.attribution
    figures = made.figures
    # bought at 100 and sold at 100; bought again at 100, and 104 at the end
    assert (share.realised, share.unrealised, share.fees) == (
        Decimal(0),
        Decimal(4),
        Decimal("0.03"),
    )
    assert figures.profit == pytest.approx(float(share.net))
    assert (figures.trades, figures.hit_rate, share.fills) == (1, 0.0, 3)
    assert figures.exposure == pytest.approx(3 / 5)
    assert figures.turnover == pytest.approx(300 / figures.capital, rel=0.01)
    assert made.curve[-1].equity == pytest.approx(1_003.97)


def test_no_bars_and_no_trades_are_reported_without_made_up_figures() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for bars in (bars_at([]), bars_at([5, 6])):
            market = Market(bars, costs=Costs(), capital=100.0)
            figures = bar_figures(
                market, market.trade(wished(*[0] * len(bars)), quantity=1), quantity=1
            )

            assert (figures.profit, figures.trades, figures.hit_rate) == (0, 0, None)
            assert (figures.sharpe, figures.sortino) == (None, None)
