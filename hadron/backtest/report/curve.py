"""The worth of a backtest over time, by columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from hadron.backtest.results import EquityPoint, Run
from hadron.market.bars import Floats, Longs

DAY_NS = 86_400 * 10**9
WEEKEND = 5  # Saturday, where Monday is 0


@dataclass(frozen=True, slots=True)
class Curve:
    """What all portfolios together were worth at each time, after fees; before the first: capital.

    `gross` is the sum of what was held, long and short alike, at its marks. It holds from its time
    until the next, and the last until `end_ns`.
    """

    capital: float
    begin_ns: int
    end_ns: int
    at_ns: Longs
    equity: Floats
    gross: Floats

    def days(self) -> NDArray[np.intp]:
        """The place of the last point of each day in UTC, -1 for the capital, oldest first.

        Weekdays without a point count, for there was a market; weekends without one do not.
        """
        first, last = self.begin_ns // DAY_NS, max(self.end_ns - 1, self.begin_ns) // DAY_NS
        days = np.arange(first, last + 1)
        ends = np.searchsorted(self.at_ns, (days + 1) * DAY_NS) - 1
        has_points = np.diff(ends, prepend=-1) > 0
        weekday = (days + 3) % 7 < WEEKEND  # the epoch began on a Thursday
        found: NDArray[np.intp] = ends[has_points | weekday]
        return found

    def at(self, places: NDArray[np.intp]) -> Floats:
        """The equity at places of which -1 is the capital."""
        found = np.full(len(places), self.capital)
        known = places >= 0
        found[known] = self.equity[places[known]]
        return found

    def peak(self) -> Floats:
        """The highest equity up to each point, the capital included."""
        return np.maximum(np.maximum.accumulate(self.equity), self.capital)

    def exposure(self) -> float:
        """The share of the time in which anything was held."""
        lasted = np.diff(self.at_ns, append=self.end_ns)
        whole = self.end_ns - self.begin_ns
        return float(lasted[self.gross != 0].sum() / whole) if whole > 0 else 0.0


def curve(run: Run, points: Sequence[EquityPoint]) -> Curve:
    """The equity of all portfolios of a run, each worth its capital until it first trades."""
    portfolios = sorted({point.portfolio for point in points})
    capital = run.capital
    times, equity, gross = _summed(points, capital, len(portfolios))
    return Curve(
        capital=float(capital * max(len(portfolios), 1)),
        begin_ns=run.begin_ns or 0,
        end_ns=(run.end_ns or 0) + 1,
        at_ns=np.array(times, np.int64),
        equity=np.array(equity, np.float64),
        gross=np.array(gross, np.float64),
    )


def _summed(
    points: Iterable[EquityPoint], capital: Decimal, portfolios: int
) -> tuple[Sequence[int], Sequence[Decimal], Sequence[Decimal]]:
    newest: dict[str, EquityPoint] = {}
    summed: dict[int, tuple[Decimal, Decimal]] = {}
    for point in sorted(points, key=lambda point: point.at_ns):
        newest[point.portfolio] = point
        waiting = (portfolios - len(newest)) * capital
        summed[point.at_ns] = (
            sum((one.equity for one in newest.values()), waiting),
            sum((one.gross for one in newest.values()), Decimal(0)),
        )
    equity, gross = [one[0] for one in summed.values()], [one[1] for one in summed.values()]
    return list(summed), equity, gross
