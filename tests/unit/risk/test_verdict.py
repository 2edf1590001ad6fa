"""The verdict as a pure function of the order and the risk state."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from hadron.errors import ImpossibleTransition
from hadron.risk.book import Book, Holding, Reservation, reserved
from hadron.risk.limits import Order, RiskState
from hadron.risk.verdict import judge
from tests.support import an_approved_intent
from tests.unit.desk.facts import a_halt, some_limits

KEY = ("sma", "eq:AAPL")


def an_order(side: Any = "buy", quantity: int = 10, price: int = 10) -> Order:
    return Order("sma", "eq:AAPL", side, Decimal(quantity), Decimal(price))


def a_state(
    position: int = 0, *reservations: Reservation, limit: int = 100, exposure: int = 10_000
) -> RiskState:
    """One holding at a mark of 10."""
    holding = Holding(
        Decimal(position), {str(number): each for number, each in enumerate(reservations)}
    )
    limits = some_limits(position=limit, notional=10_000, exposure=exposure)
    return RiskState(Book(limits, {KEY: holding}), None, {"eq:AAPL": Decimal(10)})


@pytest.mark.parametrize(
    ("held", "side", "quantity", "allowed"),
    [
        (0, "buy", 100, True),
        (0, "buy", 101, False),
        (0, "sell", 100, True),
        (0, "sell", 101, False),
        (300, "sell", 1, True),  # nearer to zero, though still over the limit
        (300, "sell", 300, True),
        (300, "sell", 400, True),  # through zero, to the limit of the other side
        (300, "sell", 401, False),
        (-300, "buy", 1, True),
        (-300, "buy", 401, False),
        (-300, "sell", 1, False),
    ],
)
def test_the_position_limit_holds_on_both_sides(
    held: int, side: str, quantity: int, allowed: bool
) -> None:
    verdict = judge(an_order(side, quantity), a_state(held))

    assert (verdict.reason is None) == allowed


def test_a_flip_is_no_reduction() -> None:
    verdict = judge(an_order("sell", 350), a_state(300, limit=40))

    assert verdict.reason == "position: 300-350 is over 40"


@pytest.mark.parametrize(
    ("order", "evidence"),
    [
        (an_order("buy", 5), "300+50 of 10000"),
        (an_order("sell", 5), "300+0 of 10000"),  # of 30 and -20, the worse is 30
        (an_order("sell", 50), "300+400 of 10000"),
        (an_order("buy", 5, price=12), "360+60 of 10000"),  # dearer than the mark: newer
    ],
)
def test_exposure_is_the_worst_that_open_orders_can_lead_to(order: Order, evidence: str) -> None:
    ten = Decimal(10)
    state = a_state(20, Reservation("buy", ten, ten), Reservation("sell", Decimal(40), ten))

    assert judge(order, state).limits["exposure"] == evidence


def test_an_open_order_is_counted_at_the_price_it_was_judged_at() -> None:
    state = a_state(0, Reservation("buy", Decimal(10), Decimal(25)))

    assert judge(an_order("buy", 1), state).limits["exposure"] == "250+25 of 10000"


def test_a_portfolio_over_its_exposure_may_still_close() -> None:
    state = a_state(50, exposure=1)

    assert judge(an_order("sell", 50), state).reason is None
    assert judge(an_order("buy", 1), state).reason == "exposure: 500+10 is over 1"


def test_the_first_limit_breached_is_the_reason_and_all_are_shown() -> None:
    state = a_state(0, limit=1, exposure=1)

    verdict = judge(an_order("buy", 2000), state)

    assert verdict.reason == "notional: 20000 is over 10000"
    assert sorted(verdict.limits) == ["exposure", "notional", "position"]


def test_a_halt_comes_before_all_limits() -> None:
    state = RiskState(Book(), a_halt(), {})

    assert judge(an_order(), state).reason == "halted"


def test_without_limits_nothing_may_be_ordered() -> None:
    assert judge(an_order(), RiskState(Book(), None, {})).reason == "no limits"


def test_notional_is_exact_where_floats_and_28_digits_are_not() -> None:
    order = msgspec.structs.replace(
        an_order(),
        quantity=Decimal("1000000000.000000001"),
        price=Decimal("1000000000.000000001"),
    )

    seen = judge(order, a_state()).limits["notional"]

    assert seen == "1000000000000000002.000000000000000001 of 10000"


def test_a_verdict_cannot_be_reserved_twice() -> None:
    intent = an_approved_intent()
    book = reserved(Book(), intent, price=Decimal(100))

    with pytest.raises(ImpossibleTransition, match="given twice"):
        reserved(book, intent, price=Decimal(100))
