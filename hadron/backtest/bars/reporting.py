"""Reports of strategies that traded bars."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import numpy as np

from hadron.backtest.bars.trading import Market, Traded
from hadron.backtest.report.attribution import Worth, attribution
from hadron.backtest.report.curve import Curve
from hadron.backtest.report.figures import DAYS_A_YEAR, Activity, Figures, figures
from hadron.backtest.report.report import Report, points
from hadron.backtest.results import Fill
from hadron.backtest.trips import round_trips
from hadron.portfolio.money import stated
from hadron.portfolio.positions import Position, filled
from hadron.values import number

PORTFOLIO = "backtest"
VENUE = "bars"


def bar_curve(market: Market, traded: Traded) -> Curve:
    """The equity at the end of each bar."""
    bars = market.bars
    return Curve(
        capital=market.capital,
        begin_ns=int(bars.at_ns[0]) if len(bars) else 0,
        end_ns=int(bars.ends_ns[-1]) if len(bars) else 0,
        at_ns=market.ends_ns,
        equity=traded.equity,
        gross=np.abs(traded.held) * market.closes,
    )


def activity(
    traded: Traded, quantity: float, *, begin: int = 0, end: int | None = None
) -> Activity:
    """What was traded within bars, all by default. Trades count where they close.

    They go from flat until flat again: of one quantity, a position never turns at once.
    """
    held = traded.held[begin:end]
    first, last = np.searchsorted(traded.places, (begin, begin + len(held)))
    notionals = traded.prices * quantity
    cash = np.cumsum(-traded.sides * notionals - traded.fees)
    flat = np.flatnonzero(np.cumsum(traded.sides, dtype=np.int64) == 0)
    nets = np.diff(cash[flat], prepend=0.0)
    return Activity(
        nets=nets[(flat >= first) & (flat < last)],
        fees=float(traded.fees[first:last].sum()),
        notional=float(notionals[first:last].sum()),
        exposure=float(np.count_nonzero(held)) / max(len(held), 1),
    )


def bar_figures(
    market: Market, traded: Traded, *, quantity: float, days_a_year: float = DAYS_A_YEAR
) -> Figures:
    """The figures of a run, from its columns."""
    path = bar_curve(market, traded)
    return figures(path, activity(traded, quantity), days_a_year=days_a_year)


def bar_report(
    market: Market,
    traded: Traded,
    *,
    strategy: str,
    quantity: Decimal,
    run: Mapping[str, Any],
    days_a_year: float = DAYS_A_YEAR,
) -> Report:
    """The whole report. Prices and fees of fills are stated at 8 decimals."""
    found = fills(market, traded, strategy=strategy, quantity=quantity)
    trades = round_trips(found)
    whose = (PORTFOLIO, strategy, market.bars.instrument)
    held = _held(found, Position(*whose))
    last = number(int(market.bars.close[-1]), market.bars.scale) if len(market.bars) else None
    worth = Worth(held.realised, held.unrealised(last) or Decimal(0))
    return Report(
        run=dict(run),
        figures=bar_figures(market, traded, quantity=float(quantity), days_a_year=days_a_year),
        attribution=attribution(found, trades, {whose: worth}),
        trades=trades,
        curve=points(bar_curve(market, traded)),
        counts={"bars": len(market.bars), "fills": len(found)},
    )


def fills(market: Market, traded: Traded, *, strategy: str, quantity: Decimal) -> list[Fill]:
    """What was traded, as the exchange of a backtest on ticks states it."""
    columns = (traded.places, traded.sides, traded.prices, traded.fees)
    begins_ns = market.bars.at_ns[traded.places].tolist()
    return [
        Fill(
            order=f"bar-{place}",
            portfolio=PORTFOLIO,
            strategy=strategy,
            instrument=market.bars.instrument,
            venue=VENUE,
            at_ns=at_ns,
            side="buy" if side > 0 else "sell",
            quantity=quantity,
            price=stated(Decimal(repr(price))),
            price_from="open",
            liquidity="taker",
            fee=stated(Decimal(repr(fee))),
        )
        for at_ns, place, side, price, fee in zip(
            begins_ns, *(column.tolist() for column in columns), strict=True
        )
    ]


def _held(fills: list[Fill], position: Position) -> Position:
    for fill in fills:
        position = filled(position, side=fill.side, quantity=fill.quantity, price=fill.price)
    return position
