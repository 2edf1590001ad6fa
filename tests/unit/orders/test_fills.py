"""The simulated fill trades at real prices only."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from hadron.orders.facts import OrderFilled, OrderRejected
from hadron.orders.fills import simulated_order
from tests.support import an_approved_intent, codec

NOTHING: dict[str, Any] = {"bid": None, "ask": None, "last": None}


def limited(price: str, **changes: Any) -> dict[str, Any]:
    return {"order_type": "limit", "limit_price": Decimal(price), **changes}


@pytest.mark.parametrize(
    ("changes", "price", "price_from"),
    [
        ({}, "100.01", "ask"),
        ({"side": "sell"}, "99.99", "bid"),
        ({"ask": None}, "100.00", "last"),
        ({"side": "sell", "bid": None}, "100.00", "last"),
        ({"side": "sell", "bid": Decimal(0)}, "100.00", "last"),  # venues write 0 for no bid
        (limited("100.01"), "100.01", "ask"),
        (limited("105"), "100.01", "ask"),
        (limited("99.99", side="sell"), "99.99", "bid"),
        (limited("95", side="sell"), "99.99", "bid"),
        (limited("100", ask=None), "100.00", "last"),
    ],
)
def test_an_order_fills_at_the_touch(changes: dict[str, Any], price: str, price_from: str) -> None:
    order = simulated_order(an_approved_intent(**changes), partition=2, offset=7)

    assert isinstance(order, OrderFilled)
    assert (order.price, order.price_from) == (Decimal(price), price_from)
    assert order.simulated


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (NOTHING, "no price known"),
        (limited("105", **NOTHING), "no price known"),
        (limited("100.00"), "limit not marketable"),
        (limited("100.00", side="sell"), "limit not marketable"),
        (limited("99.99", ask=None), "limit not marketable"),
    ],
)
def test_an_order_without_a_price_to_trade_at_is_rejected(
    changes: dict[str, Any], reason: str
) -> None:
    order = simulated_order(an_approved_intent(**changes), partition=2, offset=7)

    assert isinstance(order, OrderRejected)
    assert order.reason == reason
    assert order.simulated


def test_an_order_is_named_by_its_intent_and_keeps_the_verdict() -> None:
    intent = an_approved_intent(verdict="decisions/2/5/0")

    order = simulated_order(intent, partition=2, offset=7)

    named = (order.source, order.partition, order.offset, order.index)
    assert named == ("intents", 2, 7, 0)
    assert (order.order, order.verdict) == ("h-intents-2-7", "decisions/2/5/0")
    assert order == simulated_order(intent, partition=2, offset=7)


def test_both_ends_fit_their_contracts() -> None:
    orders = [
        simulated_order(an_approved_intent(**changes), partition=0, offset=0)
        for changes in ({}, NOTHING)
    ]

    assert [codec().decode(codec().encode(order)) for order in orders] == orders
