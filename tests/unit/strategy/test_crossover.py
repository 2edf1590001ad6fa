"""Crossover."""

from __future__ import annotations

from decimal import Decimal

import pytest

from hadron.strategy.crossover import Crossover, CrossoverParameters, CrossoverState
from hadron.strategy.strategy import Signal
from tests.support import a_trade
from tests.unit.strategy.plain import AnyBook

BOOK = AnyBook(bid=Decimal("99.99"), ask=Decimal("100.01"))


def a_crossover(threshold_bps: int = 0) -> Crossover:
    return Crossover(CrossoverParameters(1, 3, threshold_bps), CrossoverState())


def signals(crossover: Crossover, *prices: str, book: AnyBook = BOOK) -> list[Signal | None]:
    return [crossover.on_trade(a_trade(price), book) for price in prices]


def test_golden_decisions() -> None:
    # fast is the price; slow is half of itself and half of the price: 8, 8, 10, 9.5, 7.75
    given = signals(a_crossover(), "8", "8", "12", "9", "6")

    metadata = {"fast": "1", "slow": "3", "threshold_bps": "0"}
    assert given == [
        None,
        None,
        Signal(
            "buy",
            Decimal(100),
            Decimal(1),
            Decimal("100.01"),
            {"fast": "12.0", "slow": "10.0", "limit": "100.01"},
            metadata,
        ),
        Signal(
            "sell",
            Decimal(100),
            Decimal(1),
            Decimal("99.99"),
            {"fast": "9.0", "slow": "9.5", "limit": "99.99"},
            metadata,
        ),
        None,
    ]


def test_it_is_silent_until_the_slow_average_is_warm() -> None:
    assert signals(a_crossover(), "8", "12") == [None, None]


def test_a_threshold_keeps_it_from_trembling() -> None:
    # 2 000 basis points: 12 over 10 is as much, 9 under 9.5 is not
    sides = [s.side if s else None for s in signals(a_crossover(2_000), "8", "8", "12", "9")]

    assert sides == [None, None, "buy", None]


def test_without_a_touch_it_waits_and_makes_up_no_price() -> None:
    crossover = a_crossover()

    unknown = signals(crossover, "8", "8", "12", book=AnyBook(bid=Decimal(11)))
    [known] = signals(crossover, "13")

    assert unknown[-1] is None
    assert known is not None
    assert known.limit_price == Decimal("100.01")


def test_an_equal_price_crosses_nothing() -> None:
    assert signals(a_crossover(), "8", "8", "8", "8") == [None] * 4


def test_the_fast_average_must_be_faster() -> None:
    with pytest.raises(ValueError, match="fast is 3; wanted less than slow, which is 3"):
        CrossoverParameters(3, 3)
