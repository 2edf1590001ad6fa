"""Figures, held to those of a library that many use."""

from __future__ import annotations

import empyrical
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hadron.backtest.report.curve import DAY_NS, Curve
from hadron.backtest.report.figures import Activity, Figures, figures
from hadron.market.bars import Floats

NOTHING = Activity(nets=np.array([]), fees=0.0, notional=0.0, exposure=0.0)
MONDAY_NS = 4 * DAY_NS  # 1970-01-05


def a_curve(*equity: float, capital: float = 100.0, every_ns: int = DAY_NS) -> Curve:
    """A point at noon of each day, from a Monday on."""
    at_ns = MONDAY_NS + DAY_NS // 2 + np.arange(len(equity)) * every_ns
    return Curve(
        capital=capital,
        begin_ns=MONDAY_NS,
        end_ns=MONDAY_NS + max(len(equity), 1) * every_ns,
        at_ns=at_ns,
        equity=np.array(equity, np.float64),
        gross=np.array([float(value > capital) for value in equity]),
    )


def of(*equity: float, nets: Floats | None = None) -> Figures:
    return figures(
        a_curve(*equity), Activity(np.array([]) if nets is None else nets, 0.0, 500.0, 0.0)
    )


changes = st.lists(st.floats(-0.2, 0.2).map(lambda x: round(x, 6)), min_size=2, max_size=60)


@given(changes)
def test_ratios_are_those_of_empyrical(returns: list[float]) -> None:
    equity = 100.0 * np.cumprod(1 + np.array(returns))
    series = equity / np.concatenate(([100.0], equity[:-1])) - 1

    found = figures(a_curve(*equity.tolist()), NOTHING)

    if series.std(ddof=1) > 1e-9:
        assert found.sharpe == pytest.approx(empyrical.sharpe_ratio(series), rel=1e-6)
        assert found.volatility == pytest.approx(empyrical.annual_volatility(series), rel=1e-6)
    if (series < -1e-9).any():
        assert found.sortino == pytest.approx(empyrical.sortino_ratio(series), rel=1e-6)
        assert found.calmar == pytest.approx(empyrical.calmar_ratio(series), rel=1e-6)
    assert found.max_drawdown == pytest.approx(empyrical.max_drawdown(series), abs=1e-12)
    assert found.annual_return == pytest.approx(empyrical.annual_return(series), rel=1e-6)
    assert found.total_return == pytest.approx(empyrical.cum_returns_final(series), abs=1e-12)


def test_what_cannot_be_said_is_none() -> None:
    found = figures(a_curve(), NOTHING)

    assert (found.sharpe, found.hit_rate, found.profit_factor, found.turnover) == (None,) * 3 + (0,)
    assert (found.profit, found.max_drawdown, found.drawdown_days) == (0, 0, 0)


def test_after_a_loss_of_all_there_is_no_ratio() -> None:
    found = of(50, -10, 20)

    assert (found.sharpe, found.profit) == (None, -80)


def test_a_drawdown_lasts_until_the_equity_is_as_high_again() -> None:
    # high at noon of days 0, 3 and 5; below between, and after the last until the end
    found = of(110, 90, 100, 110, 100, 120, 119, 118, 117)

    assert found.drawdown_days == 3.5
    assert found.max_drawdown == pytest.approx(90 / 110 - 1)


def test_an_intraday_loss_counts_as_drawdown_but_not_as_a_day() -> None:
    found = figures(a_curve(50, 100, 100, every_ns=DAY_NS // 4), NOTHING)

    assert (found.days, found.max_drawdown, found.volatility) == (1, -0.5, None)


def test_trades_are_told_by_what_they_left_after_fees() -> None:
    found = of(101, nets=np.array([3.0, -1.0, -1.0, 0.0]))

    assert (found.trades, found.hit_rate, found.profit_factor) == (4, 0.25, 1.5)
    assert found.average_win == 3
    assert found.average_loss == pytest.approx(-2 / 3)
    assert found.turnover == pytest.approx(500 / 101)


def test_exposure_is_the_share_of_time_that_something_was_held() -> None:
    # held from noon of the first day to noon of the third, of four days
    assert a_curve(101, 102, 100, 100).exposure() == pytest.approx(0.5)


def test_weekends_without_a_point_are_no_days_and_weekdays_are() -> None:
    curve = a_curve(101)
    week = Curve(100.0, MONDAY_NS, MONDAY_NS + 14 * DAY_NS, curve.at_ns, curve.equity, curve.gross)

    assert figures(week, NOTHING).days == 10
