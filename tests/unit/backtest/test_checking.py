"""The check finds strategies that know the future, or that forget at a restart."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from hadron.backtest.checking import Checked, Data, check, collected
from hadron.backtest.feeding import appended
from hadron.market.facts import TradePrinted
from hadron.strategy.registry import KINDS
from hadron.strategy.sma import SimpleSMA
from hadron.strategy.strategy import Book, Signal
from hadron.venues.massive.parse import parse
from tests.support import a_strategy
from tests.unit.backtest.test_run import CONTROL, raws


@pytest.fixture(scope="module")
def data() -> Data:
    return collected([CONTROL, *appended(raws(4_000), partitions=4)], {"massive": parse})


class Peeking(SimpleSMA):
    """Knows the highest price of a whole run in the next one, and sells there."""

    highest: ClassVar[dict[str, int]] = {}

    def on_trade(self, trade: TradePrinted, book: Book) -> Signal | None:
        highest = self.highest.get(trade.instrument, 0)
        self.highest[trade.instrument] = max(highest, trade.price)
        signal = super().on_trade(trade, book)
        return None if trade.price < highest else signal


class Forgetful(SimpleSMA):
    """Counts in itself what belongs into its state."""

    seen = 0

    def on_trade(self, trade: TradePrinted, book: Book) -> Signal | None:
        self.seen += 1
        signal = super().on_trade(trade, book)
        return signal if self.seen > 100 else None


def checked(data: Data, kind: type[Any] | None = None) -> Checked:
    if kind is None:
        return check(data, cuts=4)
    only = Data([a_strategy()], data.ticks, data.offsets)
    return check(only, {**KINDS, "SimpleSMA": kind}, cuts=4)


def test_the_strategies_of_the_house_know_only_what_they_were_shown(data: Data) -> None:
    found = checked(data)

    assert found.differences == []
    assert (found.ticks, found.trials) == (4_000, 9)
    assert found.decisions > 50


def test_a_strategy_that_peeks_is_found(data: Data) -> None:
    Peeking.highest.clear()

    found = checked(data, Peeking)

    assert {one.trial for one in found.differences} >= {"repeated", "truncated"}
    first = found.differences[0]
    assert first.name.startswith("ticks.warm/")
    assert (first.whole is None) != (first.found is None)


def test_a_strategy_that_forgets_at_a_restart_is_found(data: Data) -> None:
    found = checked(data, Forgetful)

    assert {one.trial for one in found.differences} == {"restarted"}


def test_it_tells_how_long_a_strategy_that_begins_later_decides_otherwise(data: Data) -> None:
    short, long = (
        check(Data([a_strategy(kind)], data.ticks, data.offsets), cuts=4).warm_ups
        for kind in ("SimpleSMA", "Crossover")
    )

    assert all(one.settled is not None and one.settled < 800 for one in short)
    assert [one.began for one in short] == [800, 1_600, 2_400]
    # Its averages are of two hundred trades: of three stocks, a fifth of whose events are trades.
    assert all(one.settled is None or one.settled > 100 for one in long)
