"""How the profits of strategies in instruments go together: who earns and loses at one time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import combinations

import msgspec
import numpy as np

from hadron.backtest.report.attribution import ZERO, Key, key
from hadron.backtest.results import Fill, Run
from hadron.market.bars import Floats
from hadron.portfolio.facts import PositionChanged
from hadron.portfolio.money import exactly

S = 10**9
SPANS_S = (86_400, 3_600, 60, 1)
ENOUGH = 30  # spans of a run, or shorter ones are taken

Changes = tuple[list[int], list[Decimal]]  # times, and by how much the profit changed


class Correlation(msgspec.Struct, frozen=True):
    """Pearson's correlation of two profits after fees, each by the change in a span of UTC.

    None where one of them never changed otherwise than all the time.
    """

    portfolio: str
    strategy: str
    instrument: str
    other_portfolio: str
    other_strategy: str
    other_instrument: str
    correlation: float | None
    spans: int  # in which anybody's profit changed: others say nothing
    span_s: int


def correlations(
    run: Run, positions: Iterable[PositionChanged], fills: Iterable[Fill]
) -> list[Correlation]:
    """All pairs of whoever traded, those that go together or against each other most first.

    Spans are days where the run has at least thirty of them, or hours, minutes, seconds.
    """
    changes = _changes(positions, fills)
    if len(changes) < 2 or run.begin_ns is None or run.end_ns is None:
        return []
    lasted_s = (run.end_ns - run.begin_ns) // S
    span_s = next((span_s for span_s in SPANS_S if lasted_s >= ENOUGH * span_s), SPANS_S[-1])
    whose = sorted(changes)
    profits = _by_span([changes[one] for one in whose], span_s * S)
    together = _pearson(profits)
    found = [
        Correlation(*whose[a], *whose[b], together[a][b], profits.shape[1], span_s)
        for a, b in combinations(range(len(whose)), 2)
    ]
    return sorted(found, key=lambda one: -abs(one.correlation or 0.0))


def _changes(positions: Iterable[PositionChanged], fills: Iterable[Fill]) -> dict[Key, Changes]:
    found: defaultdict[Key, Changes] = defaultdict(lambda: ([], []))
    worth: dict[Key, Decimal] = {}

    def changed(whose: Key, at_ns: int, by: Decimal) -> None:
        times, amounts = found[whose]
        times.append(at_ns)
        amounts.append(by)

    with exactly():
        for one in positions:
            now = one.realised + (one.unrealised or ZERO)
            changed(key(one), one.at_ns, now - worth.get(key(one), ZERO))
            worth[key(one)] = now
        for fill in fills:
            changed(key(fill), fill.at_ns, -fill.fee)
    return dict(found)


def _by_span(changes: Sequence[Changes], span_ns: int) -> Floats:
    """A row for each, a column for each span in which anything changed."""
    spans = [np.array(times, np.int64) // span_ns for times, _ in changes]
    columns = np.unique(np.concatenate(spans))
    profits = np.zeros((len(changes), len(columns)))
    for row, (places, (_, amounts)) in enumerate(zip(spans, changes, strict=True)):
        np.add.at(profits[row], np.searchsorted(columns, places), np.array(amounts, np.float64))
    return profits[:, profits.any(axis=0)]


def _pearson(rows: Floats) -> list[list[float | None]]:
    """Of each row with each; None where one of the two is the same all the time."""
    found = np.full((len(rows), len(rows)), None)
    moving = np.flatnonzero(rows.std(axis=1)) if rows.shape[1] > 1 else ()
    if len(moving) > 1:
        found[np.ix_(moving, moving)] = np.corrcoef(rows[moving])
    table: list[list[float | None]] = found.tolist()
    return table
