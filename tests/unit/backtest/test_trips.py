"""Round trips of fills."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as some

from hadron.backtest.results import Fill
from hadron.backtest.trips import round_trips
from tests.support import T0_NS


def a_fill(side: str = "buy", quantity: str = "100", price: str = "10", **changes: Any) -> Fill:
    """A fill of strategy sma in eq:AAPL."""
    fill = Fill(
        order="h-intents-0-0",
        portfolio="main",
        strategy="sma",
        instrument="eq:AAPL",
        venue="massive",
        at_ns=T0_NS,
        side="buy",
        quantity=Decimal(quantity),
        price=Decimal(price),
        price_from="ask",
        liquidity="taker",
        fee=Decimal(0),
    )
    return msgspec.structs.replace(fill, side=side, **changes)


def test_a_trip_is_closed_when_the_position_is_flat() -> None:
    fills = [
        a_fill("buy", "100", "10.00", fee=Decimal("0.5")),
        a_fill("buy", "100", "10.10"),
        a_fill("sell", "50", "10.20"),
        a_fill("sell", "150", "10.30", at_ns=T0_NS + 9, fee=Decimal("0.25")),
    ]

    [trip] = round_trips(fills)

    assert (trip.side, trip.quantity, trip.fills) == ("buy", Decimal(200), 4)
    assert (trip.entry_price, trip.exit_price) == (Decimal("10.05"), Decimal("10.275"))
    assert (trip.profit, trip.fees, trip.net) == (Decimal(45), Decimal("0.75"), Decimal("44.25"))
    assert (trip.opened_ns, trip.closed_ns) == (T0_NS, T0_NS + 9)


def test_a_fill_that_turns_the_position_belongs_to_two_trips() -> None:
    fills = [
        a_fill("sell", "100", "10"),
        a_fill("buy", "300", "9", fee=Decimal(3)),
        a_fill("sell", "200", "11"),
    ]

    short, long = round_trips(fills)

    assert (short.side, short.profit, short.fees) == ("sell", Decimal(100), Decimal(1))
    assert (long.side, long.quantity, long.profit) == ("buy", Decimal(200), Decimal(400))
    assert long.fees == Decimal(2)


def test_an_open_position_is_no_trip() -> None:
    assert round_trips([a_fill("buy"), a_fill("buy", strategy="other")]) == []


quantities = some.integers(1, 9).map(Decimal)
cents = some.integers(900, 1100).map(lambda n: Decimal(n).scaleb(-2))


@given(some.lists(some.tuples(some.sampled_from(["buy", "sell"]), quantities, cents), max_size=20))
def test_profit_and_fees_of_all_trips_are_the_cash_that_moved(
    made: list[tuple[str, Decimal, Decimal]],
) -> None:
    fills = [a_fill(side, str(n), str(price), fee=Decimal(1)) for side, n, price in made]
    held = sum((n if side == "buy" else -n for side, n, _ in made), Decimal(0))
    if held:  # bring it to an end
        fills.append(a_fill("sell" if held > 0 else "buy", str(abs(held)), "10", fee=Decimal(1)))

    trips = round_trips(fills)

    cash = sum((f.quantity * f.price * (1 if f.side == "sell" else -1) for f in fills), Decimal(0))
    assert abs(sum((trip.profit for trip in trips), Decimal(0)) - cash) < Decimal("1e-12")
    assert abs(sum((trip.fees for trip in trips), Decimal(0)) - len(fills)) < Decimal("1e-12")
