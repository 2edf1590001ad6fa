"""The top of one instrument's book at the simulated exchange."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from hadron.desk.facts import IntentApproved
from hadron.market.facts import QuoteChanged, Tick, TradePrinted
from hadron.orders.touch import Touch, touch
from hadron.strategy.facts import Side
from hadron.values import number

ZERO = Decimal(0)


class Level(msgspec.Struct):
    """A price, what is displayed there, and what we have taken of that since it was."""

    price: Decimal
    size: Decimal
    taken: Decimal = ZERO

    @property
    def left(self) -> Decimal:
        return max(self.size - self.taken, ZERO)


class Top(msgspec.Struct):
    """A side that is not shown is None; sizes are known if quotes were followed."""

    bid: Level | None = None
    ask: Level | None = None
    last: Decimal | None = None

    def opposite(self, side: Side) -> Level | None:
        """What an order of this side trades with."""
        return self.ask if side == "buy" else self.bid

    def own(self, side: Side) -> Level | None:
        """Where an order of this side would rest."""
        return self.bid if side == "buy" else self.ask

    def touch(self, side: Side) -> Touch | None:
        """The price that an order of this side takes: by the rule of the live simulation."""
        bid = None if self.bid is None else self.bid.price
        ask = None if self.ask is None else self.ask.price
        return touch(side, bid=bid, ask=ask, last=self.last)

    def spread(self) -> Decimal | None:
        """Ask less bid; None while a side is missing."""
        if self.bid is None or self.ask is None:
            return None
        return self.ask.price - self.bid.price

    def take(self, tick: Tick) -> None:
        """Follow a trade or a quote that is in order."""
        if isinstance(tick, TradePrinted):
            if tick.price > 0:
                self.last = number(tick.price, tick.price_scale)
            return
        self.bid = _level(tick, tick.bid, tick.bid_size)
        self.ask = _level(tick, tick.ask, tick.ask_size)

    def believe(self, intent: IntentApproved) -> None:
        """Take the prices that an intent carries, where ticks were not followed."""
        self.bid = None if intent.bid is None else Level(intent.bid, ZERO)
        self.ask = None if intent.ask is None else Level(intent.ask, ZERO)
        self.last = intent.last


def _level(quote: QuoteChanged, price: int, size: int) -> Level | None:
    if price <= 0:
        return None
    return Level(number(price, quote.price_scale), number(size, quote.size_scale))
