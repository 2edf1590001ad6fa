"""The limits of an order, each a pure check of what would be if it filled."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

import msgspec

from hadron.control.facts import LimitsChanged, TradingHalted
from hadron.portfolio.money import exactly
from hadron.risk.book import EMPTY, Book, Holding, Key
from hadron.strategy.facts import Side
from hadron.values import digits

ZERO = Decimal(0)


class Order(msgspec.Struct, frozen=True):
    """An order to be judged, at the price that it would trade at."""

    strategy: str
    instrument: str
    side: Side
    quantity: Decimal
    price: Decimal

    @property
    def key(self) -> Key:
        """The holding that it changes."""
        return self.strategy, self.instrument

    @property
    def change(self) -> Decimal:
        """What a fill adds to the position."""
        return self.quantity.copy_negate() if self.side == "sell" else self.quantity


class RiskState(msgspec.Struct, frozen=True):
    """All that a verdict depends on besides the order."""

    book: Book
    halted: TradingHalted | None
    prices: Mapping[str, Decimal]  # the newest mark, or fill, by instrument


class Check(msgspec.Struct, frozen=True):
    """What one limit saw."""

    name: str
    seen: str  # "200+100": what is, and what the order adds
    limit: Decimal
    breached: bool

    @property
    def evidence(self) -> str:
        """As in "200+100 of 500"."""
        return f"{self.seen} of {digits(self.limit)}"

    @property
    def reason(self) -> str:
        """Names the limit, what it saw, and what it allows."""
        return f"{self.name}: {self.seen} is over {digits(self.limit)}"


def notional(order: Order, limits: LimitsChanged, state: RiskState) -> Check:
    """Quantity times price of this order alone."""
    with exactly():
        value = order.quantity * order.price
    return Check("notional", digits(value), limits.notional, value > limits.notional)


def position(order: Order, limits: LimitsChanged, state: RiskState) -> Check:
    """The position if this order and all open ones of its side fill, and none of the other.

    An order that only brings it nearer to zero is never refused.
    """
    now = state.book.holdings.get(order.key, EMPTY).after(order.side)
    with exactly():
        then = now + order.change
        reduces = abs(then) < abs(now) and then * now >= 0
        breached = abs(then) > limits.position and not reduces
    return Check("position", digits(now) + _signed(order.change), limits.position, breached)


def exposure(order: Order, limits: LimitsChanged, state: RiskState) -> Check:
    """Gross notional of the portfolio in the worst case of its open orders.

    An order that adds nothing to it, because it closes, is never refused.
    """
    with exactly():
        rest = sum(
            (
                _worst(holding) * _price(key, holding, state.prices)
                for key, holding in state.book.holdings.items()
                if key != order.key
            ),
            ZERO,
        )
        holding = state.book.holdings.get(order.key, EMPTY)
        price = max(order.price, _price(order.key, holding, state.prices))
        now = rest + _worst(holding) * price
        added = (_worst(holding, order) - _worst(holding)) * price
        breached = added > 0 and now + added > limits.exposure
    return Check("exposure", digits(now) + _signed(added), limits.exposure, breached)


CHECKS: tuple[Callable[[Order, LimitsChanged, RiskState], Check], ...] = (
    notional,
    position,
    exposure,
)


def _signed(number: Decimal) -> str:
    return digits(number) if number < 0 else "+" + digits(number)


def _worst(holding: Holding, order: Order | None = None) -> Decimal:
    """The largest position, long or short, that open orders and this one can lead to."""
    if order is None and not holding.reserved:
        return abs(holding.position)  # most holdings, and the loop over them is the cost
    bought, sold = holding.after("buy"), holding.after("sell")
    if order is not None and order.side == "buy":
        bought += order.quantity
    elif order is not None:
        sold -= order.quantity
    return max(abs(bought), abs(sold))


def _price(key: Key, holding: Holding, prices: Mapping[str, Decimal]) -> Decimal:
    """The dearest of the mark and the prices of open orders, which may be newer than the mark."""
    mark = prices.get(key[1], ZERO)
    if not holding.reserved:
        return mark
    return max(mark, *(reservation.price for reservation in holding.reserved.values()))
