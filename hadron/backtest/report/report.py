"""The report of a backtest, as one document."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from hadron.backtest.report.attribution import Share, attribution, worths
from hadron.backtest.report.correlation import Correlation, correlations
from hadron.backtest.report.curve import Curve, curve
from hadron.backtest.report.figures import DAYS_A_YEAR, Activity, Figures, figures
from hadron.backtest.results import Counts, EquityPoint, Fill, Result, RoundTrip, Run
from hadron.portfolio.facts import PositionChanged

POINTS = 2_000  # of the curve that a report shows


class Kept(msgspec.Struct, frozen=True):
    """What a report needs of a `Result`, as it is read from a file that has all of it."""

    run: Run
    counts: Counts
    sha256: str
    decisions: list[msgspec.Raw]
    orders: list[msgspec.Raw]
    fills: list[Fill]
    positions: list[PositionChanged]
    equity: list[EquityPoint]
    trades: list[RoundTrip]


class Point(msgspec.Struct, frozen=True):
    """The equity at the end of a span of the curve, and its deepest drawdown within."""

    at_ns: int
    equity: float
    drawdown: float | None
    gross: float


class Report(msgspec.Struct, frozen=True):
    """All that a page or a program wants to know. Money of fills is exact, figures are floats."""

    run: dict[str, Any]
    figures: Figures
    attribution: Sequence[Share]
    trades: Sequence[RoundTrip]
    curve: Sequence[Point]
    counts: dict[str, int]
    correlations: Sequence[Correlation] = ()
    sha256: str | None = None  # of the decisions, where there are any


def report(result: Result | Kept, *, days_a_year: float = DAYS_A_YEAR) -> Report:
    """Report a backtest."""
    shares = attribution(result.fills, result.trades, worths(result.positions))
    path = curve(result.run, result.equity)
    activity = Activity(
        nets=np.array([float(trade.net) for trade in result.trades]),
        fees=float(sum(share.fees for share in shares)),
        notional=float(sum(share.notional for share in shares)),
        exposure=path.exposure(),
    )
    return Report(
        run=msgspec.structs.asdict(result.run),
        figures=figures(path, activity, days_a_year=days_a_year),
        attribution=shares,
        trades=result.trades,
        curve=points(path),
        counts={
            **msgspec.structs.asdict(result.counts),
            "decisions": len(result.decisions),
            "orders": len(result.orders),
            "fills": len(result.fills),
        },
        correlations=correlations(result.run, result.positions, result.fills),
        sha256=result.sha256,
    )


def points(path: Curve, *, most: int = POINTS) -> list[Point]:
    """The curve in so many points at most, with the deepest drawdown that each stands for."""
    count = len(path.equity)
    if not count:
        return []
    drawdown = path.equity / path.peak() - 1 if path.capital > 0 else np.full(count, np.nan)
    begins = np.unique(np.linspace(0, count, min(most, count), endpoint=False).astype(np.intp))
    ends = np.append(begins[1:], count) - 1
    deepest = np.minimum.reduceat(drawdown, begins)
    columns = (path.at_ns[ends], path.equity[ends], deepest, path.gross[ends])
    return [
        Point(at_ns, equity, None if np.isnan(deep) else deep, gross)
        for at_ns, equity, deep, gross in zip(*(c.tolist() for c in columns), strict=True)
    ]
