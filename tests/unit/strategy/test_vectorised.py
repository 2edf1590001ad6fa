"""Strategies asked about all bars at once."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hadron.errors import ContractError
from hadron.market.bars import Bars
from hadron.strategy.crossover import Crossover, CrossoverParameters
from hadron.strategy.registry import KINDS
from hadron.strategy.sma import SimpleSMA, SMAParameters
from hadron.strategy.sma_cross import SMACross, SMACrossParameters
from hadron.strategy.strategy import Signal, Strategy
from hadron.strategy.vectorised import Vectorised, bar_by_bar, rolling_sums, wishes
from tests.bars import agree, any_bars, bars_at
from tests.unit.strategy.plain import Count

lengths = st.tuples(st.integers(1, 30), st.integers(1, 30)).filter(lambda pair: pair[0] != pair[1])
some_parameters = st.one_of(
    st.builds(SMAParameters, st.sampled_from([1, 10, 100, 10_000])).map(lambda p: (SimpleSMA, p)),
    st.builds(
        lambda pair, bps: CrossoverParameters(min(pair), max(pair), bps),
        lengths,
        st.sampled_from([0, 1, 100]),
    ).map(lambda p: (Crossover, p)),
    lengths.map(lambda pair: (SMACross, SMACrossParameters(min(pair), max(pair)))),
)


@given(some_parameters, any_bars())
def test_both_selves_of_a_strategy_agree_bit_for_bit(
    asked: tuple[type[Strategy], msgspec.Struct], bars: Bars
) -> None:
    agree(*asked, bars)


def test_every_strategy_that_ships_is_held_to_it() -> None:
    vectorised = {kind for kind in KINDS.values() if hasattr(kind, "signals")}

    assert vectorised == {SimpleSMA, Crossover, SMACross}


@given(some_parameters, any_bars(), st.integers(0, 120))
def test_signals_do_not_look_ahead(asked: tuple[type[Strategy], Any], bars: Bars, cut: int) -> None:
    kind, parameters = asked
    strategy = kind(parameters, kind.State())
    assert isinstance(strategy, Vectorised)

    early = strategy.signals(bars[:cut])

    assert early.tolist() == strategy.signals(bars)[:cut].tolist()


@given(st.lists(st.integers(0, 2**40), max_size=50), st.integers(1, 60))
def test_rolling_sums_are_exact(values: list[int], width: int) -> None:
    expected = [sum(values[end - width : end]) for end in range(width, len(values) + 1)]

    sums = np.cumsum(np.array(values, np.int64))
    if len(values) >= width:
        assert rolling_sums(sums, width).tolist() == expected


def test_a_cross_of_simple_averages_is_where_the_integers_say() -> None:
    # fast of 1 is the price, slow of 3: 10, 10, 13 → above (begins), 7 → below, 8.., 12 → above
    bars = bars_at([10, 10, 13, 7, 8, 12])

    sides = wishes(SMACross, SMACrossParameters(1, 3), bars).sides

    assert sides.tolist() == [0, 0, 0, -1, 0, 1]


def test_sums_that_fit_no_64_bits_are_refused_not_wrapped() -> None:
    bars = bars_at([2**39] * 10_001)

    with pytest.raises(ContractError, match="fast is 9999 and slow 10000"):
        wishes(SMACross, SMACrossParameters(9_999, 10_000), bars)


class Slow(Strategy):
    """Has no vectorised self; bids a cent below every other close."""

    version = "1"
    Parameters = SMAParameters
    State = Count

    def __init__(self, parameters: SMAParameters, state: Any) -> None:
        self.state = state

    def on_trade(self, trade: Any, book: Any) -> Signal | None:
        self.state.ticks += 1
        if self.state.ticks % 2:
            return None
        return Signal("buy", Decimal(100), Decimal(1), book.last - Decimal("0.01"))


def test_a_strategy_without_a_vectorised_self_is_asked_bar_by_bar() -> None:
    found = wishes(Slow, SMAParameters(), bars_at([100, 101, 102, 103]))

    assert found.limits is not None
    assert (found.sides.tolist(), found.limits.tolist()) == ([0, 1, 0, 1], [0, 100, 0, 102])


def test_a_quantity_that_differs_from_the_parameter_is_named() -> None:
    with pytest.raises(ContractError, match="quantity is 100; wanted 50"):
        bar_by_bar(Slow, SMAParameters(quantity=Decimal(50)), bars_at([100, 101]))
