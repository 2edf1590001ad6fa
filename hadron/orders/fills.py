"""The simulated fill: what becomes of an approved intent at the prices that it carries."""

from __future__ import annotations

import re
from typing import Any

from hadron.desk.facts import IntentApproved
from hadron.orders.facts import OrderFilled, OrderRejected
from hadron.orders.touch import Touch, touch

INTENTS = "intents"
_ORDER_ID = re.compile(rf"h-{INTENTS}-(\d+)-(\d+)")


def order_id(partition: int, offset: int) -> str:
    """The client order id of the intent at that place of `intents`; the same on every replay."""
    return f"h-{INTENTS}-{partition}-{offset}"


def intent_of(order: str) -> tuple[int, int] | None:
    """The partition and offset of the intent that an order id names; None for another's id."""
    match = _ORDER_ID.fullmatch(order)
    return (int(match[1]), int(match[2])) if match else None


def simulated_order(
    intent: IntentApproved, *, partition: int, offset: int
) -> OrderFilled | OrderRejected:
    """Fill the whole intent at the touch that it carries, or reject it and say why.

    A market order trades at the touch; a limit order does if the touch is at the limit or better.
    Takes nothing but an approved intent: without a verdict there is no order to speak of.
    """
    found = touch(intent.side, bid=intent.bid, ask=intent.ask, last=intent.last)
    shared = _shared(intent, partition, offset)
    if found is None:
        return OrderRejected(**shared, reason="no price known")
    if not _marketable(intent, found):
        return OrderRejected(**shared, reason="limit not marketable")
    return OrderFilled(**shared, price=found.price, price_from=found.price_from)


def refused_order(
    intent: IntentApproved, reason: str, *, partition: int, offset: int
) -> OrderRejected:
    """Trade nothing, and say why."""
    return OrderRejected(**_shared(intent, partition, offset), reason=reason)


def _marketable(intent: IntentApproved, found: Touch) -> bool:
    if intent.limit_price is None:
        return True
    if intent.side == "buy":
        return found.price <= intent.limit_price
    return found.price >= intent.limit_price


def _shared(intent: IntentApproved, partition: int, offset: int) -> dict[str, Any]:
    return {
        "source": INTENTS,
        "partition": partition,
        "offset": offset,
        "index": 0,
        "order": order_id(partition, offset),
        "verdict": intent.verdict,
        "strategy": intent.strategy,
        "portfolio": intent.portfolio,
        "instrument": intent.instrument,
        "venue": intent.venue,
        "at_ns": intent.at_ns,
        "seen_ns": intent.seen_ns,
        "side": intent.side,
        "quantity": intent.quantity,
        "simulated": True,
    }
