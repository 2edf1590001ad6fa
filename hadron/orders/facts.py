"""What became of an order. Each approved intent gets exactly one of these in simulation."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from hadron.strategy.facts import Side


class OrderFilled(msgspec.Struct, frozen=True):
    """The whole quantity traded at one price. Ends the decision."""

    source: str  # the intent's coordinates
    partition: int
    offset: int
    index: int
    order: str  # client order id, derived from those coordinates
    verdict: str
    strategy: str
    portfolio: str
    instrument: str
    venue: str
    at_ns: int
    seen_ns: int
    side: Side
    quantity: Decimal
    price: Decimal
    price_from: str  # which real price it is: "ask", "bid", "last"
    simulated: bool


class OrderRejected(msgspec.Struct, frozen=True):
    """Nothing traded, and why. Ends the decision."""

    source: str
    partition: int
    offset: int
    index: int
    order: str
    verdict: str
    strategy: str
    portfolio: str
    instrument: str
    venue: str
    at_ns: int
    seen_ns: int
    side: Side
    quantity: Decimal
    reason: str
    simulated: bool
