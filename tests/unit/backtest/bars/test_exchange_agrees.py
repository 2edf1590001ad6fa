"""What bars come to at the exchange of ticks, where their opens and closes are its ticks."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hadron.backtest.bars.costs import costs
from hadron.backtest.bars.trading import Market
from hadron.backtest.exchange import Exchange
from hadron.backtest.fees import Traded, fees
from hadron.backtest.models import Named, models
from hadron.desk.facts import IntentApproved
from hadron.market.bars import Bars
from hadron.market.facts import QuoteChanged
from hadron.orders.facts import OrderFilled
from hadron.orders.fills import order_id
from hadron.strategy.vectorised import Wishes
from hadron.values import number
from tests.bars import any_bars, bars_at
from tests.support import a_quote, an_approved_intent
from tests.unit.backtest.bars.test_trading import some_wishes

# An order that is sent a nanosecond before a bar ends arrives just after the next one's open.
LATENCY = "fixed:2ns"


@given(
    st.data(),
    any_bars(most=40),
    st.sampled_from(["none", "per-share:0.005", "percent:0.1"]),
)
def test_bars_are_filled_as_the_exchange_fills_their_opens(
    data: st.DataObject, bars: Bars, fee: str
) -> None:
    wishes = data.draw(some_wishes(bars))
    charged = fees(fee)

    traded = Market(bars, costs=costs(fee, "none"), capital=0.0).trade(wishes, quantity=100.0)

    filled = exchanged(bars, wishes)
    assert [place + 1 for place, _ in filled] == traded.places.tolist()
    assert [float(fill.price) for _, fill in filled] == traded.prices.tolist()
    sides = [1 if fill.side == "buy" else -1 for _, fill in filled]
    assert sides == traded.sides.tolist()
    paid = [
        float(charged(Traded(Decimal(100), fill.price, "taker", Decimal(0)))) for _, fill in filled
    ]
    assert traded.fees.tolist() == pytest.approx(paid, rel=1e-12, abs=1e-8)


def exchanged(bars: Bars, wishes: Wishes) -> list[tuple[int, OrderFilled]]:
    """The fills, each with the bar at whose close it was wanted."""
    exchange = Exchange(models(Named(latency=LATENCY)))
    said = []
    for place in range(len(bars)):
        ended_ns = int(bars.at_ns[place]) + bars.width_ns - 1
        said += exchange.take(quoted(bars, int(bars.open[place]), int(bars.at_ns[place])))
        said += exchange.take(quoted(bars, int(bars.close[place]), ended_ns))
        if wishes.sides[place]:
            intent = wanted(bars, wishes, place, ended_ns)
            said += exchange.send(intent, partition=0, offset=place)
    fills = [one.fact for one in said if isinstance(one.fact, OrderFilled)]
    places = {order_id(0, place): place for place in range(len(bars))}
    return [(places[fill.order], fill) for fill in fills]


def quoted(bars: Bars, price: int, at_ns: int) -> QuoteChanged:
    """Bars know no spread."""
    return a_quote(price, price, price_scale=bars.scale, at_ns=at_ns, instrument=bars.instrument)


def wanted(bars: Bars, wishes: Wishes, place: int, at_ns: int) -> IntentApproved:
    limit = None
    if wishes.limits is not None and wishes.limits[place]:
        limit = number(int(wishes.limits[place]), bars.scale)
    close = number(int(bars.close[place]), bars.scale)
    return an_approved_intent(
        instrument=bars.instrument,
        at_ns=at_ns,
        side="buy" if wishes.sides[place] > 0 else "sell",
        order_type="market" if limit is None else "limit",
        limit_price=limit,
        bid=close,
        ask=close,
        last=close,
    )


def test_a_limit_that_the_open_does_not_meet_lapses_at_both() -> None:
    bars = bars_at([100, 100], opens=[100, 101])
    wishes = Wishes(np.array([1, 0], np.int8), np.array([100, 0]))

    assert exchanged(bars, wishes) == []
