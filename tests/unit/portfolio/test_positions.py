"""Average cost: profit is exact, whatever the order of fills."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from hadron.portfolio.money import stated
from hadron.portfolio.positions import Position, filled
from hadron.values import parts

FLAT = Position("main", "sma", "eq:AAPL")
Fill = tuple[Any, Decimal, Decimal]  # side, quantity, price

numbers = st.builds(
    lambda mantissa, scale: Decimal(mantissa).scaleb(-scale),
    st.integers(1, 10**9),
    st.integers(0, 8),
)
fills = st.lists(st.tuples(st.sampled_from(("buy", "sell")), numbers, numbers), max_size=20)


def after(*done: Fill) -> Position:
    position = FLAT
    for side, quantity, price in done:
        position = filled(position, side=side, quantity=quantity, price=price)
    return position


def some(*done: tuple[str, int, int]) -> Position:
    return after(*[(side, Decimal(quantity), Decimal(price)) for side, quantity, price in done])


@pytest.mark.parametrize(
    ("done", "quantity", "average", "realised"),
    [
        ([("buy", 100, 10)], 100, "10", "0"),
        ([("buy", 100, 10), ("buy", 100, 20)], 200, "15", "0"),
        ([("buy", 100, 10), ("sell", 40, 12)], 60, "10", "80"),
        ([("buy", 100, 10), ("sell", 100, 12)], 0, None, "200"),
        ([("buy", 100, 10), ("sell", 150, 12)], -50, "12", "200"),
        ([("sell", 100, 10)], -100, "10", "0"),
        ([("sell", 100, 10), ("buy", 40, 8)], -60, "10", "80"),
        ([("sell", 100, 10), ("buy", 150, 8)], 50, "8", "200"),
        ([("buy", 1, 1), ("buy", 2, 2)], 3, "1.66666667", "0"),
    ],
    ids=[
        "open",
        "increase",
        "reduce",
        "close",
        "flip to short",
        "open short",
        "reduce short",
        "flip to long",
        "an average is rounded half to even at 8 decimals",
    ],
)
def test_fills_make_a_position(
    done: list[tuple[str, int, int]], quantity: int, average: str | None, realised: str
) -> None:
    position = some(*done)

    assert position.quantity == quantity
    assert position.average_price == (None if average is None else Decimal(average))
    assert position.realised == Decimal(realised)


def test_a_flat_position_has_nothing_unrealised_whatever_the_price() -> None:
    assert some(("buy", 1, 10), ("sell", 1, 11)).unrealised(None) == 0


def test_without_a_price_nothing_is_said_of_what_is_held() -> None:
    assert some(("buy", 1, 10)).unrealised(None) is None


@given(fills, numbers)
def test_profit_is_cash_plus_what_is_held_at_the_mark(done: list[Fill], mark: Decimal) -> None:
    position = after(*done)

    cash, held = Fraction(0), Fraction(0)
    for side, quantity, price in done:
        signed = Fraction(quantity) if side == "buy" else -Fraction(quantity)
        held += signed
        cash -= signed * Fraction(price)
    unrealised = position.unrealised(mark)
    assert unrealised is not None
    assert Fraction(position.quantity) == held
    assert Fraction(position.realised) + Fraction(unrealised) == cash + held * Fraction(mark)


@given(fills)
def test_realised_profit_is_that_of_average_cost(done: list[Fill]) -> None:
    quantity, average, realised = Fraction(0), Fraction(0), Fraction(0)
    for side, size, price in done:
        change = Fraction(size) if side == "buy" else -Fraction(size)
        closing = Fraction(0)
        if quantity * change < 0:
            closing = max(-abs(quantity), -abs(change)) * (1 if quantity > 0 else -1)
        realised -= closing * (Fraction(price) - average)
        opening = change - closing
        if quantity + closing == 0:
            average = Fraction(price)
        elif opening:
            average = (quantity * average + opening * Fraction(price)) / (quantity + opening)
        quantity += change

    position = after(*done)

    # The share of a partial close is rounded at 18 decimals, once for each fill.
    error = abs(Fraction(position.realised) - realised)
    assert error <= Fraction(len(done) + 1, 10**9)


@given(fills)
def test_a_position_that_was_closed_holds_no_cost(done: list[Fill]) -> None:
    position = after(*done)
    if position.quantity:
        side = "sell" if position.quantity > 0 else "buy"
        position = after(*done, (side, abs(position.quantity), Decimal(7)))

    assert position.quantity == position.cost == 0


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**17), max_value=10**17))
def test_a_stated_amount_fits_the_wire_and_is_near_the_exact_one(amount: Decimal) -> None:
    shown = stated(amount)

    _, scale = parts(shown)
    assert scale <= 8
    assert abs(Fraction(shown) - Fraction(amount)) <= max(
        Fraction(1, 2 * 10**8), abs(Fraction(amount)) / 10**17
    )
