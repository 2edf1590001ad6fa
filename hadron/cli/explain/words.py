"""What a fact says, in a sentence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from hadron.desk.facts import DecisionDismissed, IntentApproved, IntentRejected
from hadron.market.facts import QuoteChanged, RawReceived, TradePrinted
from hadron.orders.facts import OrderFilled, OrderRejected
from hadron.portfolio.facts import PositionChanged
from hadron.strategy.facts import DecisionMade
from hadron.values import digits, number


def said(fact: Any) -> str:
    """One sentence; the fields of a fact that no story is about."""
    sentence = _SENTENCES.get(type(fact))
    if sentence is not None:
        return sentence(fact)
    fields = msgspec.structs.asdict(fact).items()
    return " ".join((type(fact).__name__, *(f"{name}={value}" for name, value in fields)))


def time(at_ns: int) -> str:
    """A time of the log, to the nanosecond, in UTC."""
    seconds, rest = divmod(at_ns, 10**9)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}.{rest:09d}"


def prices(fact: DecisionMade) -> str:
    """What a decision saw."""
    named = (("bid", fact.bid), ("ask", fact.ask), ("last", fact.last))
    return ", ".join(f"{name} {'-' if price is None else digits(price)}" for name, price in named)


def _filled(fact: OrderFilled) -> str:
    done = "bought" if fact.side == "buy" else "sold"
    what = f"{digits(fact.quantity)} {fact.instrument} at {digits(fact.price)}"
    simulated = ", simulated" if fact.simulated else ""
    return f"order {fact.order} {done} {what} ({fact.price_from}{simulated})"


def _decided(fact: DecisionMade) -> str:
    who = f"{fact.strategy} {fact.version} for {fact.portfolio}"
    return f"{who} decided to {_wish(fact)}, confidence {digits(fact.confidence)}"


def _wish(fact: DecisionMade | IntentApproved | IntentRejected) -> str:
    limit = fact.limit_price
    price = "at the market" if limit is None else f"at {digits(limit)} or better"
    return f"{fact.side} {digits(fact.quantity)} {fact.instrument} {price}"


def _traded(fact: TradePrinted) -> str:
    size, price = number(fact.size, fact.size_scale), number(fact.price, fact.price_scale)
    return f"trade of {fact.instrument}: {digits(size)} at {digits(price)}, {_tick(fact)}"


def _quoted(fact: QuoteChanged) -> str:
    def side(price: int, size: int) -> str:
        units = digits(number(size, fact.size_scale))
        return f"{units} at {digits(number(price, fact.price_scale))}"

    bid, ask = side(fact.bid, fact.bid_size), side(fact.ask, fact.ask_size)
    return f"quote of {fact.instrument}: bid {bid}, ask {ask}, {_tick(fact)}"


def _tick(fact: TradePrinted | QuoteChanged) -> str:
    return f"{fact.quality}, lane {fact.lane} ({fact.reason}), at {time(fact.at_ns)}"


def _received(fact: RawReceived) -> str:
    where = f"frame {fact.frame}[{fact.index}] of connection {fact.connection}"
    return f"{fact.venue} sent, as {where}, seen {time(fact.seen_ns)}"


def _held(fact: PositionChanged) -> str:
    unrealised = "-" if fact.unrealised is None else digits(fact.unrealised)
    return (
        f"position of {fact.strategy} of {fact.portfolio}: {digits(fact.quantity)}"
        f" {fact.instrument}, realised {digits(fact.realised)}, unrealised {unrealised}"
    )


_SENTENCES: Mapping[type[Any], Callable[[Any], str]] = {
    OrderFilled: _filled,
    OrderRejected: lambda fact: f"order {fact.order} rejected: {fact.reason}",
    IntentApproved: lambda fact: f"approved {fact.verdict}: {_wish(fact)}",
    IntentRejected: lambda fact: f"refused {fact.verdict}: {_wish(fact)}: {fact.reason}",
    DecisionDismissed: lambda fact: f"dismissed: {fact.reason}",
    DecisionMade: _decided,
    TradePrinted: _traded,
    QuoteChanged: _quoted,
    RawReceived: _received,
    PositionChanged: _held,
}
