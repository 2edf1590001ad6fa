"""The simulated exchange: what becomes of orders, and when."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from hadron.backtest.exchange import Exchange
from hadron.backtest.models import Named, models
from hadron.backtest.working import Said
from hadron.orders.fills import simulated_order
from tests.support import T0_NS, a_quote, a_trade, an_approved_intent

MS = 1_000_000


def an_exchange(**asked: Any) -> Exchange:
    return Exchange(models(Named(**asked)))


def a_limit(price: str, **changes: Any) -> Any:
    return an_approved_intent(order_type="limit", limit_price=Decimal(price), **changes)


def told(said: list[Said]) -> list[tuple[str, Any, Any, Any]]:
    """Kind, quantity, price or reason, and liquidity of each."""
    return [
        (
            type(one.fact).__name__,
            int(one.fact.quantity),
            getattr(one.fact, "reason", None) or str(getattr(one.fact, "price", None)),
            one.liquidity,
        )
        for one in said
    ]


prices = some.none() | some.integers(0, 3).map(lambda n: Decimal(100 + n))


@given(some.sampled_from(["buy", "sell"]), prices, prices, prices, prices)
def test_without_models_it_says_what_the_live_simulation_says(
    side: str, bid: Decimal | None, ask: Decimal | None, last: Decimal | None, limit: Decimal | None
) -> None:
    intent = an_approved_intent(
        side=side,
        bid=bid,
        ask=ask,
        last=last,
        limit_price=limit,
        order_type="market" if limit is None else "limit",
    )
    exchange = an_exchange()

    [said] = exchange.send(intent, partition=2, offset=17)

    assert said.fact == simulated_order(intent, partition=2, offset=17)
    assert exchange.idle


def test_an_order_that_is_underway_meets_the_book_of_its_arrival() -> None:
    exchange = an_exchange(latency="fixed:5ms")

    sent = exchange.send(an_approved_intent(), partition=0, offset=0)
    before = exchange.take(a_quote(10_010, 10_020, at_ns=T0_NS + 5 * MS))
    after = exchange.take(a_quote(10_030, 10_040, at_ns=T0_NS + 5 * MS + 1))

    assert (sent, before) == ([], [])
    assert told(after) == [("OrderFilled", 100, "100.20", "taker")]
    assert after[0].fact.at_ns == T0_NS + 5 * MS
    assert (after[0].fact.source, after[0].fact.offset) == ("executions", 0)


def test_an_order_without_any_price_is_rejected() -> None:
    exchange = an_exchange(latency="fixed:5ms", slippage="spread:1")

    exchange.send(an_approved_intent(bid=None, ask=None, last=None), partition=0, offset=0)
    said = exchange.take(a_trade(instrument="eq:OTHER", at_ns=T0_NS + 6 * MS))

    assert told(said) == [("OrderRejected", 100, "no price known", None)]


def test_what_the_touch_does_not_show_waits_for_the_next_quotes() -> None:
    exchange = an_exchange(partial="displayed")
    exchange.take(a_quote(9_999, 10_001, ask_size=30))

    first = exchange.send(an_approved_intent(), partition=0, offset=0)
    second = exchange.send(an_approved_intent(verdict="2"), partition=0, offset=1)
    rest = exchange.take(a_quote(9_999, 10_002, ask_size=120, at_ns=T0_NS + 1))

    assert told(first) == [("OrderPartFilled", 30, "100.01", "taker")]
    assert second == []  # the first one took all that was shown
    assert told(rest) == [
        ("OrderFilled", 70, "100.02", "taker"),
        ("OrderPartFilled", 50, "100.02", "taker"),
    ]
    assert not exchange.idle


def test_a_share_of_what_is_traded_fills_at_the_prices_of_the_trades() -> None:
    exchange = an_exchange(partial="traded:0.5")
    exchange.take(a_quote())

    said = exchange.send(an_approved_intent(), partition=0, offset=0)
    for price, size in (("100.00", 100), ("100.03", 80), ("100.05", 500)):
        said += exchange.take(a_trade(price, size=size, at_ns=T0_NS + 1))

    assert told(said) == [
        ("OrderPartFilled", 50, "100.00", "taker"),
        ("OrderPartFilled", 40, "100.03", "taker"),
        ("OrderFilled", 10, "100.05", "taker"),
    ]


def test_who_is_behind_in_the_queue_waits_until_those_before_have_traded() -> None:
    exchange = an_exchange(queue="behind", partial="displayed")
    exchange.take(a_quote(9_999, 10_001, bid_size=300))

    said = exchange.send(a_limit("99.99"), partition=0, offset=0)
    said += exchange.take(a_trade("99.99", size=200))  # 100 are left before us
    said += exchange.take(a_trade("100.01", size=900))  # at the other side
    said += exchange.take(a_trade("99.99", size=140))
    said += exchange.take(a_quote(9_998, 9_999, ask_size=50))  # the market comes to us

    assert told(said) == [
        ("OrderPartFilled", 40, "99.99", "maker"),
        ("OrderPartFilled", 50, "99.99", "maker"),
    ]


def test_orders_before_us_that_were_cancelled_trade_no_more() -> None:
    exchange = an_exchange(queue="behind", partial="displayed")
    exchange.take(a_quote(9_999, 10_001, bid_size=300))
    exchange.send(a_limit("99.99"), partition=0, offset=0)

    exchange.take(a_quote(9_999, 10_001, bid_size=20))
    said = exchange.take(a_trade("99.99", size=50))

    assert told(said) == [("OrderPartFilled", 30, "99.99", "maker")]


@pytest.mark.parametrize(
    ("queue", "price", "filled"),
    [
        ("front", "99.99", 1),
        ("behind", "99.99", 0),
        ("behind", "99.98", 1),  # through our price
        ("front", "100.00", 0),
    ],
)
def test_where_it_stands_decides_whether_a_trade_reaches_it(
    queue: str, price: str, filled: int
) -> None:
    exchange = an_exchange(queue=queue)
    exchange.take(a_quote(9_999, 10_001, bid_size=100))
    exchange.send(a_limit("99.99"), partition=0, offset=0)

    said = exchange.take(a_trade(price, size=100))

    assert told(said) == [("OrderFilled", 100, "99.99", "maker")] * filled


def test_an_order_whose_time_is_over_is_cancelled_with_what_is_left() -> None:
    exchange = an_exchange(queue="front", partial="displayed", good_for="1s")
    exchange.take(a_quote(9_999, 10_001))
    exchange.send(a_limit("99.99"), partition=0, offset=0)

    said = exchange.take(a_trade("99.99", size=60))
    said += exchange.take(a_trade("99.99", size=60, at_ns=T0_NS + 1_000 * MS + 1))

    assert told(said) == [
        ("OrderPartFilled", 60, "99.99", "maker"),
        ("OrderRejected", 40, "it worked as long as it was good for", None),
    ]
    assert exchange.idle


def test_ticks_that_are_late_or_suspect_trade_with_nobody() -> None:
    exchange = an_exchange(queue="front")
    exchange.send(a_limit("99.99"), partition=0, offset=0)

    for quality in ("late", "suspect"):
        assert exchange.take(a_trade("99.99", quality=quality)) == []
