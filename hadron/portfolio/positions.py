"""A position by average cost: what fills make of it, and what it is worth at a price."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from hadron.portfolio.money import EXACT, MONEY_DECIMALS, exactly, share
from hadron.strategy.facts import Side

ZERO = Decimal(0)


class Position(msgspec.Struct, frozen=True):
    """What one strategy holds of one instrument.

    `cost` is what was paid for what is held now, below zero for a short. Together with `realised`
    it is exact: `realised - cost` is the sum of all cash that moved. Only the share of the cost
    that a partial close takes is rounded, at 18 decimals, and what it leaves stays in `cost`.
    """

    portfolio: str
    strategy: str
    instrument: str
    quantity: Decimal = ZERO  # below zero is short
    cost: Decimal = ZERO
    realised: Decimal = ZERO

    @property
    def average_price(self) -> Decimal | None:
        """Cost per unit, rounded half to even at 8 decimals; None when flat."""
        if not self.quantity:
            return None
        return share(self.cost, Decimal(1), self.quantity, decimals=MONEY_DECIMALS)

    def unrealised(self, mark: Decimal | None) -> Decimal | None:
        """The profit of what is held at `mark`, exact; None if it is needed and not known."""
        if not self.quantity:
            return ZERO
        if mark is None:
            return None
        return EXACT.subtract(EXACT.multiply(self.quantity, mark), self.cost)


def filled(position: Position, *, side: Side, quantity: Decimal, price: Decimal) -> Position:
    """The position after a fill: it opens at the price, or closes by average cost, or both."""
    with exactly():
        change = quantity if side == "buy" else -quantity
        opposite = (position.quantity > 0) != (change > 0)
        if not position.quantity or not opposite:
            return _opened(position, change, price)
        if abs(change) <= abs(position.quantity):
            return _closed(position, change, price)
        rest = position.quantity + change
        return _opened(_closed(position, -position.quantity, price), rest, price)


def _opened(position: Position, change: Decimal, price: Decimal) -> Position:
    return msgspec.structs.replace(
        position,
        quantity=position.quantity + change,
        cost=position.cost + change * price,
    )


def _closed(position: Position, change: Decimal, price: Decimal) -> Position:
    whole = change == -position.quantity
    released = position.cost if whole else share(position.cost, -change, position.quantity)
    return msgspec.structs.replace(
        position,
        quantity=position.quantity + change,
        cost=position.cost - released,
        realised=position.realised - change * price - released,
    )
