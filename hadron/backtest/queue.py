"""Where a limit order that nobody trades with yet stands in its price level."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

import msgspec

from hadron.backtest.market import ZERO, Level, Top
from hadron.backtest.naming import named, nothing
from hadron.market.facts import Tick, TradePrinted
from hadron.portfolio.money import exactly
from hadron.strategy.facts import Side
from hadron.values import number


class Resting(msgspec.Struct):
    """A limit order in the book. `ahead` must trade first; None while its level is not shown."""

    side: Side
    limit: Decimal
    ahead: Decimal | None

    def given(self, tick: Tick, top: Top) -> Decimal:
        """How much the market brings to it with a tick that `top` has taken; 0 for nothing."""
        if isinstance(tick, TradePrinted):
            price = number(tick.price, tick.price_scale)
            return self._traded(price, number(tick.size, tick.size_scale))
        crossing = top.opposite(self.side)
        if crossing is not None and not self._better(crossing.price):
            self.ahead = ZERO
            return crossing.left
        self._follow(top.own(self.side))
        return ZERO

    def _traded(self, price: Decimal, size: Decimal) -> Decimal:
        if price <= 0 or self._better(price):
            return ZERO
        if price != self.limit:  # through it: whatever was ahead has traded, or is gone
            self.ahead = ZERO
            return size
        if self.ahead is None:
            return ZERO
        with exactly():
            over = size - self.ahead
            self.ahead = max(-over, ZERO)
        return max(over, ZERO)

    def _follow(self, own: Level | None) -> None:
        """Who left the level is taken to have been ahead, but never more than is still shown."""
        if own is None or self._better(own.price):
            return
        if own.price != self.limit:
            self.ahead = ZERO  # we are the touch
        elif self.ahead is None or self.ahead > own.size:
            self.ahead = own.size

    def _better(self, price: Decimal) -> bool:
        """Whether trading there is too dear for this order, or its owner's side is before it."""
        return price > self.limit if self.side == "buy" else price < self.limit


# Where an order joins; None if it does not rest at all.
Queue = Callable[[Side, Decimal, Top], Resting | None]


def queue(text: str) -> Queue:
    """The model of `--queue`. Raise SettingsError.

    none: a limit order that is not marketable is rejected, as the live simulation does; front: it
    is the first of its level; behind: all that its level shows is ahead of it, and trades first.
    """
    return named("queue", text, QUEUES)


def _none(text: str) -> Queue:
    nothing(text)
    return lambda side, limit, top: None


def _front(text: str) -> Queue:
    nothing(text)
    return lambda side, limit, top: Resting(side, limit, ZERO)


def _behind(text: str) -> Queue:
    nothing(text)

    def join(side: Side, limit: Decimal, top: Top) -> Resting:
        own = top.own(side)
        if own is not None and own.price == limit:
            return Resting(side, limit, own.size)
        better = own is None or (limit > own.price if side == "buy" else limit < own.price)
        return Resting(side, limit, ZERO if better else None)

    return join


QUEUES: Mapping[str, Callable[[str], Queue]] = {"none": _none, "front": _front, "behind": _behind}
