"""What an exchange says of an order that trades in parts."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from hadron.strategy.facts import Side


class OrderPartFilled(msgspec.Struct, frozen=True):
    """A part of the quantity traded at one price, and the order works on.

    The rest ends by OrderFilled or OrderRejected of the quantity that is left. Only exchanges that
    are simulated say so: it has no contract, and is not on the log.
    """

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
    price: Decimal
    price_from: str
    simulated: bool
