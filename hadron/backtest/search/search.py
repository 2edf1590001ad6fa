"""What a search found: trials by rank, and how the chosen ones did where nobody had looked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from hadron.backtest.report.curve import Curve
from hadron.backtest.report.figures import Activity, Figures
from hadron.backtest.search.deflated import deflated_sharpe
from hadron.backtest.search.space import Candidate
from hadron.backtest.search.trial import Trial, Trying
from hadron.backtest.search.windows import Window


class Ranked(msgspec.Struct, frozen=True):
    """A trial over all bars: chosen with all of them known, so in the sample."""

    values: dict[str, str]
    in_sample: Figures


class Step(msgspec.Struct, frozen=True):
    """One window of the walk: what the training chose, and what it did in the test."""

    train_begin_ns: int
    test_begin_ns: int
    test_end_ns: int
    values: dict[str, str] | None  # None if no set has the metric in the training
    in_sample: float | None  # the metric
    out_of_sample: float | None
    test: Figures | None


class Found(msgspec.Struct, frozen=True):
    """All of a search. Out of sample is only what `walk` and `out_of_sample` say."""

    run: dict[str, Any]
    metric: str
    tried: int
    best: Sequence[Ranked]  # by the metric; those without it are last
    deflated_sharpe: float | None  # probability that the best one's true Sharpe ratio is above 0
    walk: Sequence[Step]
    out_of_sample: Figures | None  # of all tests, one after the other


def found(
    trying: Trying,
    candidates: Sequence[Candidate],
    trials: Sequence[Trial],
    *,
    run: dict[str, Any],
    best: int,
) -> Found:
    """Rank trials, and walk forward through the windows. Of equal ones the first is the better."""
    order = sorted(range(len(trials)), key=lambda n: _rank(trying.score(trials[n].figures)))
    steps, tests = [], []
    for number, window in enumerate(trying.windows):
        step, tested = _step(trying, candidates, trials, number, window)
        steps.append(step)
        tests += [tested] if tested else []
    top = trials[order[0]] if order else None
    sharpes = [trial.moments.sharpe for trial in trials if trial.moments]
    return Found(
        run=run,
        metric=trying.metric,
        tried=len(trials),
        best=[Ranked(trials[n].values, trials[n].figures) for n in order[:best]],
        deflated_sharpe=deflated_sharpe(top.moments, sharpes) if top and top.moments else None,
        walk=steps,
        out_of_sample=trying.measured(*joined(tests)) if tests else None,
    )


def _step(
    trying: Trying,
    candidates: Sequence[Candidate],
    trials: Sequence[Trial],
    number: int,
    window: Window,
) -> tuple[Step, tuple[Curve, Activity] | None]:
    at_ns, ends_ns = trying.market.bars.at_ns, trying.market.ends_ns
    times = int(at_ns[window.train]), int(at_ns[window.test]), int(ends_ns[window.end - 1]) + 1
    chosen = min(range(len(trials)), key=lambda n: _rank(trials[n].trained[number]))
    score = trials[chosen].trained[number]
    if score is None:
        return Step(*times, None, None, None, None), None
    candidate = candidates[chosen]
    tested = trying.span(trying.traded(candidate), candidate, window.test, window.end)
    figures = trying.measured(*tested)
    return Step(*times, candidate.values, score, trying.score(figures), figures), tested


def joined(tests: Sequence[tuple[Curve, Activity]]) -> tuple[Curve, Activity]:
    """Spans one after the other as one run: each begins with what the one before left."""
    curves = [curve for curve, _ in tests]
    capital = curves[0].capital
    gained = np.cumsum([0.0, *(curve.equity[-1] - capital for curve in curves[:-1])])
    activities = [activity for _, activity in tests]
    lasted = [curve.end_ns - curve.begin_ns for curve in curves]
    return Curve(
        capital=capital,
        begin_ns=curves[0].begin_ns,
        end_ns=curves[-1].end_ns,
        at_ns=np.concatenate([curve.at_ns for curve in curves]),
        equity=np.concatenate([c.equity + g for c, g in zip(curves, gained, strict=True)]),
        gross=np.concatenate([curve.gross for curve in curves]),
    ), Activity(
        nets=np.concatenate([activity.nets for activity in activities]),
        fees=sum(activity.fees for activity in activities),
        notional=sum(activity.notional for activity in activities),
        exposure=float(np.average([one.exposure for one in activities], weights=lasted)),
    )


def _rank(score: float | None) -> float:
    return float("inf") if score is None else -score
