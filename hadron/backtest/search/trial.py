"""Trying sets of parameters on bars."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from hadron.backtest.bars.trading import Market, Traded
from hadron.backtest.report.curve import Curve
from hadron.backtest.report.figures import Activity, Figures, daily_returns, figures
from hadron.backtest.search.deflated import Moments, moments
from hadron.backtest.search.space import Candidate
from hadron.backtest.search.windows import Window, span
from hadron.strategy.strategy import Strategy
from hadron.strategy.vectorised import wishes

# What a search may rank by: of each, more is better.
METRICS = (
    *("sharpe", "sortino", "calmar", "total_return", "annual_return", "profit"),
    *("profit_factor", "hit_rate", "max_drawdown"),
)


class Trial(msgspec.Struct, frozen=True):
    """How a set of parameters did: over all bars, and by each window that it may be chosen on."""

    values: dict[str, str]
    figures: Figures
    trained: list[float | None]  # the metric in the training of each window
    moments: Moments | None


@dataclass(frozen=True, slots=True)
class Trying:
    """All that is the same for every trial."""

    market: Market
    kind: type[Strategy]
    metric: str
    windows: Sequence[Window]
    days_a_year: float

    def trials(self, candidates: Iterable[Candidate]) -> list[Trial]:
        """Try sets of parameters, each on its own."""
        return [self._trial(candidate) for candidate in candidates]

    def traded(self, candidate: Candidate) -> Traded:
        """What a set of parameters trades over all bars."""
        wanted = wishes(self.kind, candidate.parameters, self.market.bars)
        return self.market.trade(wanted, quantity=float(candidate.parameters.quantity))

    def span(
        self, traded: Traded, candidate: Candidate, begin: int, end: int
    ) -> tuple[Curve, Activity]:
        """See `windows.span`."""
        quantity = float(candidate.parameters.quantity)
        return span(self.market, traded, begin=begin, end=end, quantity=quantity)

    def measured(self, curve: Curve, activity: Activity) -> Figures:
        """The figures of a span."""
        return figures(curve, activity, days_a_year=self.days_a_year)

    def score(self, figures: Figures) -> float | None:
        """The metric that is ranked by."""
        found: float | None = getattr(figures, self.metric)
        return found

    def _trial(self, candidate: Candidate) -> Trial:
        traded = self.traded(candidate)
        curve, activity = self.span(traded, candidate, 0, len(self.market.bars))
        trained = (
            self.measured(*self.span(traded, candidate, window.train, window.test))
            for window in self.windows
        )
        returns = daily_returns(curve.capital, curve.at(curve.days()))
        return Trial(
            values=candidate.values,
            figures=self.measured(curve, activity),
            trained=[self.score(found) for found in trained],
            moments=moments(returns),
        )
