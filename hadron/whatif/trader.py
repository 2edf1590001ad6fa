"""What a strategy's decisions come to: judged by the limits in force, filled as live fills."""

from __future__ import annotations

from collections.abc import Mapping

from hadron.control.facts import LimitsChanged, TradingHalted, TradingResumed
from hadron.desk.desk import Desk
from hadron.desk.facts import IntentApproved
from hadron.fold import Received, Slice
from hadron.market.facts import PriceMarked
from hadron.orders.facts import OrderFilled
from hadron.orders.fills import INTENTS, simulated_order
from hadron.strategy.facts import DecisionMade
from hadron.whatif.worth import NOTHING, Profit, Worth

Judged = LimitsChanged | TradingHalted | TradingResumed


class Trader:
    """Desk, gateway and portfolio of one strategy that is alone in the world, and begins flat.

    An order ends before the next decision is judged.
    """

    def __init__(self) -> None:
        self.decided = 0
        self.filled = 0
        self._desk = Desk()
        self._worth = Worth()

    def learn(self, fact: Judged | PriceMarked) -> None:
        """Take what orders are judged by."""
        self._desk.step(_at("control", 0, fact))

    def decide(self, decision: DecisionMade) -> None:
        """Judge it, and fill what is approved."""
        offset = self.decided
        self.decided += 1
        [outcome] = self._desk.step(_at("decisions", offset, decision))
        if isinstance(outcome, IntentApproved):
            orders = _at(INTENTS, offset, simulated_order(outcome, partition=0, offset=offset))
            self.filled += isinstance(orders.records[0].fact, OrderFilled)
            self._desk.step(orders)
            self._worth.take(orders)

    def held(self) -> list[str]:
        """The instruments of which there is a position."""
        return sorted({position.instrument for position in self._worth.held()})

    def profit(self, prices: Mapping[str, PriceMarked]) -> Profit:
        """All that was and would be made at these prices, before fees."""
        return sum(self._worth.profits(prices).values(), NOTHING)


def _at(topic: str, offset: int, fact: object) -> Slice:
    return Slice(topic, 0, [Received(offset, fact)])
