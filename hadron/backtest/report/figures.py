"""The figures of a backtest: what it earned, for which risk."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import msgspec
import numpy as np

from hadron.backtest.report.curve import DAY_NS, Curve
from hadron.market.bars import Floats

DAYS_A_YEAR = 252


class Figures(msgspec.Struct, frozen=True):
    """Of one run or one span of it. None is what cannot be said: no trade, no loss, too few days.

    Ratios are of returns by day in UTC, annualised by so many days, with no riskless rate.
    """

    capital: float
    profit: float  # after fees, open positions at their marks
    fees: float
    total_return: float | None  # of the capital; 0.01 is one percent
    annual_return: float | None  # compound
    volatility: float | None  # a year's
    sharpe: float | None
    sortino: float | None
    calmar: float | None  # annual return to the deepest drawdown
    max_drawdown: float | None  # of the highest equity before; 0 or below
    drawdown_days: float  # the longest time below a highest equity
    days: int
    trades: int  # closed ones, from flat until flat again or turned
    hit_rate: float | None  # share of trades that earned, after fees
    profit_factor: float | None  # what they earned to what they lost
    average_win: float | None
    average_loss: float | None
    exposure: float  # share of the time in which anything was held
    turnover: float | None  # what was traded, in times of the average equity


@dataclass(frozen=True, slots=True)
class Activity:
    """What was traded: the profit of each closed trade after fees, the fees, and all notional.

    `exposure` is the share of the time in which anything was held.
    """

    nets: Floats
    fees: float
    notional: float
    exposure: float


def figures(curve: Curve, activity: Activity, *, days_a_year: float = DAYS_A_YEAR) -> Figures:
    """All figures of a curve and of the trades that made it."""
    equity = curve.at(curve.days())
    returns = daily_returns(curve.capital, equity)
    total = equity[-1] / curve.capital - 1 if len(equity) and curve.capital > 0 else None
    peak = curve.peak()
    drawdown = float((curve.equity / peak).min(initial=1.0)) - 1 if curve.capital > 0 else None
    annual = annual_return(total, len(equity), days_a_year)
    wins, losses = activity.nets[activity.nets > 0], activity.nets[activity.nets <= 0]
    average = float(equity.mean()) if len(equity) else 0.0
    return Figures(
        capital=curve.capital,
        profit=float(curve.equity[-1] - curve.capital) if len(curve.equity) else 0.0,
        fees=activity.fees,
        total_return=None if total is None else float(total),
        annual_return=annual,
        volatility=volatility(returns, days_a_year),
        sharpe=sharpe(returns, days_a_year),
        sortino=sortino(returns, days_a_year),
        calmar=_ratio(annual, None if drawdown is None else -drawdown),
        max_drawdown=drawdown,
        drawdown_days=_longest_drawdown_days(curve, peak),
        days=len(equity),
        trades=len(activity.nets),
        hit_rate=_ratio(float(len(wins)), float(len(activity.nets))),
        profit_factor=_ratio(float(wins.sum()), -float(losses.sum())),
        average_win=_ratio(float(wins.sum()), float(len(wins))),
        average_loss=_ratio(float(losses.sum()), float(len(losses))),
        exposure=activity.exposure,
        turnover=_ratio(activity.notional, average),
    )


def daily_returns(capital: float, equity: Floats) -> Floats | None:
    """The return of each day; None if there was nothing left, or nothing to begin with."""
    before = np.concatenate(([capital], equity[:-1]))
    return equity / before - 1 if len(equity) and (before > 0).all() else None


def annual_return(total: float | None, days: int, days_a_year: float) -> float | None:
    """The yearly return that would compound to the total; None after a loss of all."""
    return None if total is None or total <= -1 else float((1 + total) ** (days_a_year / days) - 1)


def volatility(returns: Floats | None, days_a_year: float) -> float | None:
    """The standard deviation of returns, a year's, of n - 1."""
    if returns is None or len(returns) < 2:
        return None
    return float(returns.std(ddof=1)) * sqrt(days_a_year)


def sharpe(returns: Floats | None, days_a_year: float) -> float | None:
    """Mean over standard deviation, a year's (Sharpe 1994)."""
    if returns is None or len(returns) < 2:
        return None
    return _ratio(float(returns.mean()) * sqrt(days_a_year), float(returns.std(ddof=1)))


def sortino(returns: Floats | None, days_a_year: float) -> float | None:
    """Mean over the downside deviation from 0, of all days, a year's (Sortino and Price 1994)."""
    if returns is None or len(returns) < 2:
        return None
    below = sqrt(float(np.square(np.minimum(returns, 0)).mean()))
    return _ratio(float(returns.mean()) * sqrt(days_a_year), below)


def _ratio(part: float | None, whole: float | None) -> float | None:
    return None if part is None or whole is None or whole <= 0 else part / whole


def _longest_drawdown_days(curve: Curve, peak: Floats) -> float:
    """From a highest equity until it is reached again, or the end."""
    high = np.flatnonzero(curve.equity >= peak)
    places = np.concatenate(([-1], high, [len(curve.equity)]))
    times = np.concatenate(([curve.begin_ns], curve.at_ns[high], [curve.end_ns]))
    return float(np.diff(times)[np.diff(places) > 1].max(initial=0) / DAY_NS)
