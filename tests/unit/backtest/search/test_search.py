"""Searches: ranks, walks forward, and what is called in-sample."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hadron.backtest.bars.costs import Costs
from hadron.backtest.bars.reporting import activity
from hadron.backtest.bars.trading import Market
from hadron.backtest.report.curve import DAY_NS
from hadron.backtest.search.deflated import Moments, deflated_sharpe, highest_of, moments
from hadron.backtest.search.search import Found, found, joined
from hadron.backtest.search.space import Candidate, candidates
from hadron.backtest.search.trial import Trying
from hadron.backtest.search.windows import span, windows
from hadron.cli.backtest.pool import tried
from hadron.errors import SettingsError
from hadron.market.bars import Bars
from hadron.strategy.sma_cross import SMACross
from hadron.strategy.vectorised import Wishes
from tests.bars import bars_at

COSTS = Costs(fee_per_unit=0.01, slippage_rate=0.0001)
SETS = candidates(SMACross, {"fast": ["2", "5", "9"], "slow": ["10", "30", "60"]})


def a_walk(count: int, *, seed: int = 5, width_ns: int = DAY_NS // 24) -> Bars:
    """Bars of an hour of a market that trends for a while and then turns."""
    draw = np.random.default_rng(seed)
    steps = draw.integers(-40, 41, count) + 12 * np.sign(np.sin(np.arange(count) / 60))
    bars = bars_at((100_000 + np.cumsum(steps.astype(np.int64))).tolist())
    at_ns = bars.at_ns[0] + np.arange(count) * width_ns
    prices = (bars.open, bars.high, bars.low, bars.close)
    return Bars(bars.instrument, bars.scale, width_ns, at_ns, *prices, bars.volume)


def a_try(bars: Bars, *, tests: int = 0, metric: str = "sharpe") -> Trying:
    spans = windows(len(bars), tests=tests, train_spans=3) if tests else []
    return Trying(Market(bars, costs=COSTS, capital=100_000.0), SMACross, metric, spans, 252.0)


def searched(trying: Trying, sets: Sequence[Candidate] = SETS) -> Found:
    return found(trying, sets, trying.trials(sets), run={}, best=3)


def test_tests_follow_each_other_up_to_the_last_bar_each_after_its_training() -> None:
    made = windows(103, tests=5, train_spans=3)

    assert [one.test for one in made[1:]] == [one.end for one in made[:-1]]
    assert (made[0].train, made[-1].end) == (0, 103)
    assert all(one.train < one.test < one.end for one in made)
    assert [b.train - a.train for a, b in pairwise(made)] == pytest.approx([103 / 8] * 4, abs=1)


def test_more_windows_than_bars_are_refused() -> None:
    with pytest.raises(SettingsError, match=r"5 tests and 3 spans to train on.*only 7 bars"):
        windows(7, tests=5, train_spans=3)


def test_the_best_is_first_and_equal_ones_keep_their_order() -> None:
    trying = a_try(a_walk(1_000), metric="profit")

    said = searched(trying)

    profits = [one.in_sample.profit for one in said.best]
    everything = sorted((t.figures.profit for t in trying.trials(SETS)), reverse=True)
    assert profits == everything[:3]
    assert said.tried == len(SETS)
    assert (said.walk, said.out_of_sample) == ([], None)


def test_each_test_is_of_what_its_training_chose() -> None:
    trying = a_try(a_walk(1_600), tests=4)

    said = searched(trying)

    for step, window in zip(said.walk, trying.windows, strict=True):
        scores = {}
        for one in SETS:
            trained = trying.span(trying.traded(one), one, window.train, window.test)
            scores[tuple(one.values.values())] = trying.measured(*trained).sharpe
        best = max(scores, key=lambda values: scores[values] or float("-inf"))
        assert step.values is not None
        assert tuple(step.values.values()) == best
        assert step.in_sample == scores[best]


def test_what_comes_after_the_training_changes_no_choice() -> None:
    bars = a_walk(1_600)
    window = a_try(bars, tests=4).windows[0]
    other = np.where(np.arange(1_600) < window.test, bars.close, bars.close[window.test])
    turned = bars_at(other.tolist(), opens=np.roll(other, 1).clip(1).tolist())
    changed = Bars(
        bars.instrument, bars.scale, bars.width_ns, bars.at_ns,
        np.where(np.arange(1_600) < window.test, bars.open, turned.open),
        np.maximum(bars.high, turned.high), np.minimum(bars.low, turned.low),
        other, bars.volume,
    )  # fmt: skip

    before, after = (searched(a_try(some, tests=4)).walk[0] for some in (bars, changed))

    assert (before.values, before.in_sample) == (after.values, after.in_sample)
    assert before.out_of_sample != after.out_of_sample


def test_the_tests_in_a_row_are_what_they_earned_together() -> None:
    said = searched(a_try(a_walk(1_600), tests=4))

    tests = [step.test for step in said.walk if step.test]
    assert said.out_of_sample is not None
    assert said.out_of_sample.profit == pytest.approx(sum(test.profit for test in tests))
    assert said.out_of_sample.trades == sum(test.trades for test in tests)


@given(st.integers(0, 99), st.integers(1, 100))
def test_spans_in_a_row_cost_more_than_the_whole_by_the_handovers(cut: int, length: int) -> None:
    bars, end = a_walk(101), min(cut + length, 100)
    market = Market(bars, costs=COSTS, capital=0.0)
    sides = np.resize(np.array([0, 1, 0, 0, -1], np.int8), 101)
    traded = market.trade(Wishes(sides, None), quantity=10)
    places = sorted({0, cut, end, 101})

    parts = [span(market, traded, begin=b, end=e, quantity=10) for b, e in pairwise(places)]

    whole, did = joined(parts)
    handed = sum(2 * market.cost(traded.held[at - 1], market.closes[at - 1]) for at in places[1:-1])
    last = market.cost(traded.held[-1], market.closes[-1])
    assert whole.equity[-1] == pytest.approx(traded.equity[-1] - handed - last)
    assert did.nets.tolist() == activity(traded, 10).nets.tolist()


def test_many_processes_find_what_one_finds() -> None:
    sets = candidates(
        SMACross, {"fast": [str(n) for n in range(2, 9)], "slow": [str(n) for n in range(10, 20)]}
    )
    trying, seen = a_try(a_walk(400), tests=2), []

    alone = tried(trying, sets, jobs=1, show=lambda *_: None)
    together = tried(trying, sets, jobs=2, show=lambda *done: seen.append(done))

    assert together == alone == trying.trials(sets)
    assert seen[-1] == (70, 70)


def test_a_set_without_the_metric_is_last_and_never_chosen() -> None:
    flat = a_try(bars_at([100] * 80), tests=2)

    said = searched(flat)

    assert [step.values for step in said.walk] == [None, None]
    assert (said.out_of_sample, said.deflated_sharpe) == (None, None)


def test_the_deflated_sharpe_ratio_is_that_of_the_paper() -> None:
    # Bailey and Lopez de Prado 2014, section "A numerical example": 100 trials, five years of
    # days, annual variance of trials 1/2, an annual ratio of 2.5, skewness -3, kurtosis 10.
    deviation = (0.5 / 250) ** 0.5
    hurdle = deviation * highest_of(100)
    best = Moments(days=1250, sharpe=2.5 / 250**0.5, skew=-3.0, kurtosis=10.0)
    spread = [deviation * n for n in (-1, 1)] * 50
    spread = [one * (0.99**0.5) for one in spread]  # of n - 1

    assert hurdle == pytest.approx(0.1132, abs=1e-4)
    assert deflated_sharpe(best, spread) == pytest.approx(0.9004, abs=1e-3)


def test_moments_are_those_of_the_returns() -> None:
    returns = np.array([0.01, -0.02, 0.03, 0.0])
    scaled = (returns - returns.mean()) / returns.std()

    found = moments(returns)

    assert found is not None
    assert found.days == 4
    assert found.sharpe == pytest.approx(returns.mean() / returns.std(ddof=1))
    assert found.skew == pytest.approx((scaled**3).mean())
    assert found.kurtosis == pytest.approx((scaled**4).mean())
    assert moments(np.array([0.1, 0.1])) is moments(None) is moments(np.zeros(9)) is None


def test_one_trial_is_no_choice_to_deflate() -> None:
    assert deflated_sharpe(Moments(100, 0.1, 0.0, 3.0), [0.1]) is None
