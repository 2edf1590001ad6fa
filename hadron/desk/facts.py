"""What the desk said of a decision. Each decision gets exactly one of these."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

import msgspec

from hadron.strategy.facts import Side

OrderType = Literal["market", "limit"]


class IntentApproved(msgspec.Struct, frozen=True):
    """An order that may be sent: the only kind of fact that the gateway takes."""

    source: str  # the decision's coordinates
    partition: int
    offset: int
    index: int
    verdict: str  # id of the risk verdict
    strategy: str
    portfolio: str
    instrument: str
    venue: str
    at_ns: int
    seen_ns: int
    side: Side
    quantity: Decimal
    order_type: OrderType
    limit_price: Decimal | None
    bid: Decimal | None
    ask: Decimal | None
    last: Decimal | None
    limits: dict[str, str]  # what each limit saw: "position" -> "100 of 500"


class IntentRejected(msgspec.Struct, frozen=True):
    """An order that must not be sent, and the limit that forbids it. Ends the decision."""

    source: str
    partition: int
    offset: int
    index: int
    verdict: str
    strategy: str
    portfolio: str
    instrument: str
    venue: str
    at_ns: int
    seen_ns: int
    side: Side
    quantity: Decimal
    order_type: OrderType
    limit_price: Decimal | None
    bid: Decimal | None
    ask: Decimal | None
    last: Decimal | None
    limits: dict[str, str]
    reason: str


class DecisionDismissed(msgspec.Struct, frozen=True):
    """A decision that asks for no order, and why. Ends the decision."""

    source: str
    partition: int
    offset: int
    index: int
    strategy: str
    portfolio: str
    instrument: str
    at_ns: int
    seen_ns: int
    reason: str
