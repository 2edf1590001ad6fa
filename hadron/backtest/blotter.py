"""Orders as they stand: sent, filled so far, ended."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import msgspec

from hadron.backtest.results import Ending, Order
from hadron.backtest.working import Said
from hadron.desk.facts import IntentApproved
from hadron.orders.facts import OrderFilled, OrderRejected
from hadron.orders.fills import order_id
from hadron.portfolio.money import MONEY_DECIMALS, exactly, share

ZERO = Decimal(0)


class _Entry(msgspec.Struct):
    intent: IntentApproved
    filled: Decimal = ZERO
    paid: Decimal = ZERO
    ended_ns: int | None = None
    ending: Ending = "open"
    reason: str | None = None


class Blotter:
    """Every order that was sent, in that order."""

    def __init__(self) -> None:
        self._entries: dict[str, _Entry] = {}

    def send(self, intent: IntentApproved, *, partition: int, offset: int) -> None:
        """Take an intent that goes to the exchange."""
        self._entries[order_id(partition, offset)] = _Entry(intent)

    def take(self, said: Said) -> None:
        """Take what became of an order."""
        fact = said.fact
        entry = self._entries[fact.order]
        if isinstance(fact, OrderRejected):
            entry.ending, entry.reason, entry.ended_ns = "rejected", fact.reason, fact.at_ns
            return
        with exactly():
            entry.filled += fact.quantity
            entry.paid += fact.quantity * fact.price
        if isinstance(fact, OrderFilled):
            entry.ending, entry.ended_ns = "filled", fact.at_ns

    def orders(self) -> Iterator[Order]:
        """All of them as they stand now."""
        for name, entry in self._entries.items():
            intent = entry.intent
            average = None
            if entry.filled:
                average = share(entry.paid, Decimal(1), entry.filled, decimals=MONEY_DECIMALS)
            yield Order(
                order=name,
                verdict=intent.verdict,
                portfolio=intent.portfolio,
                strategy=intent.strategy,
                instrument=intent.instrument,
                venue=intent.venue,
                side=intent.side,
                quantity=intent.quantity,
                order_type=intent.order_type,
                limit_price=intent.limit_price,
                sent_ns=intent.at_ns,
                ended_ns=entry.ended_ns,
                filled=entry.filled,
                average_price=average,
                ending=entry.ending,
                reason=entry.reason,
            )
