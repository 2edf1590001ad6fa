"""An order at the simulated exchange, and the facts that tell what becomes of it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from hadron.audit.names import Name
from hadron.backtest.queue import Resting
from hadron.backtest.results import Liquidity
from hadron.desk.facts import IntentApproved
from hadron.orders.facts import OrderFilled, OrderRejected
from hadron.orders.parts import OrderPartFilled
from hadron.orders.touch import Touch
from hadron.portfolio.money import exactly

OrderFact = OrderFilled | OrderPartFilled | OrderRejected


class Said(msgspec.Struct, frozen=True):
    """What became of an order, or of a part of it. `liquidity` is None for a rejection."""

    fact: OrderFact
    liquidity: Liquidity | None


class Moment(msgspec.Struct, frozen=True):
    """When something happens; `at_once` as the intent comes in, else by what the market did."""

    at_ns: int
    seen_ns: int
    at_once: bool = False


class Working(msgspec.Struct):
    """An order that has not ended. It takes what is offered, unless it rests."""

    order: str
    intent: IntentApproved
    partition: int
    offset: int
    left: Decimal
    until_ns: int | None
    resting: Resting | None = None
    at_once: int = 0  # facts that were said as the intent came in

    def within(self, price: Decimal) -> bool:
        """Whether its limit allows the price."""
        limit = self.intent.limit_price
        if limit is None:
            return True
        return price <= limit if self.intent.side == "buy" else price >= limit

    def fill(self, quantity: Decimal, price: Touch, moment: Moment, name: Name) -> Said:
        """Trade so much of it, which is no more than is left."""
        whole = quantity >= self.left
        with exactly():
            self.left -= quantity
        kind = OrderFilled if whole else OrderPartFilled
        shared = self._shared(moment, name, quantity)
        fact = kind(**shared, price=price.price, price_from=price.price_from)
        return Said(fact, "taker" if self.resting is None else "maker")

    def reject(self, reason: str, moment: Moment, name: Name) -> Said:
        """End it, or what is left of it."""
        return Said(OrderRejected(**self._shared(moment, name, self.left), reason=reason), None)

    def _shared(self, moment: Moment, name: Name, quantity: Decimal) -> dict[str, Any]:
        intent = self.intent
        return {
            "source": name.source,
            "partition": name.partition,
            "offset": name.offset,
            "index": name.index,
            "order": self.order,
            "verdict": intent.verdict,
            "strategy": intent.strategy,
            "portfolio": intent.portfolio,
            "instrument": intent.instrument,
            "venue": intent.venue,
            "at_ns": moment.at_ns,
            "seen_ns": moment.seen_ns,
            "side": intent.side,
            "quantity": quantity,
            "simulated": True,
        }
