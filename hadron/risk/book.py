"""What a portfolio may do, holds and has reserved, as a fold of limits, verdicts and orders."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import msgspec

from hadron.control.facts import LimitsChanged
from hadron.desk.facts import IntentApproved
from hadron.errors import ImpossibleTransition
from hadron.orders.facts import OrderFilled, OrderRejected
from hadron.orders.parts import OrderPartFilled
from hadron.portfolio.money import exactly
from hadron.strategy.facts import Side

ZERO = Decimal(0)


class Reservation(msgspec.Struct, frozen=True):
    """Room kept for an approved order that has no end yet. `price` is what it was judged at."""

    side: Side
    quantity: Decimal
    price: Decimal


class Holding(msgspec.Struct, frozen=True):
    """What one strategy holds of one instrument, and its open reservations by verdict."""

    position: Decimal = ZERO
    reserved: Mapping[str, Reservation] = {}

    def after(self, side: Side) -> Decimal:
        """The position if all reservations of that side fill, and none of the other."""
        with exactly():
            open_ = sum((r.quantity for r in self.reserved.values() if r.side == side), ZERO)
            return self.position + open_ if side == "buy" else self.position - open_


Key = tuple[str, str]  # strategy, instrument
EMPTY = Holding()


class Book(msgspec.Struct, frozen=True):
    """One portfolio. Without limits nothing may be ordered."""

    limits: LimitsChanged | None = None
    holdings: Mapping[Key, Holding] = {}

    def with_holding(self, key: Key, holding: Holding) -> Book:
        """The book with one holding put in, or left out if it is empty."""
        holdings = {**self.holdings, key: holding}
        if not holding.position and not holding.reserved:
            del holdings[key]
        return msgspec.structs.replace(self, holdings=holdings)


def reserved(book: Book, intent: IntentApproved, *, price: Decimal) -> Book:
    """The book after an approval. Raise ImpossibleTransition if the verdict is open already."""
    key = (intent.strategy, intent.instrument)
    holding = book.holdings.get(key, EMPTY)
    if intent.verdict in holding.reserved:
        raise ImpossibleTransition(f"verdict {intent.verdict} was given twice")
    reservation = Reservation(intent.side, intent.quantity, price)
    return book.with_holding(
        key,
        msgspec.structs.replace(
            holding, reserved={**holding.reserved, intent.verdict: reservation}
        ),
    )


def ended(book: Book, order: OrderFilled | OrderRejected) -> Book:
    """The book after an order's end: its room is free again, and a fill moves the position.

    Raise ImpossibleTransition if the order is not the one that its verdict allowed.
    """
    key = (order.strategy, order.instrument)
    holding = book.holdings.get(key, EMPTY)
    _same(holding.reserved.get(order.verdict), order)
    rest = {v: r for v, r in holding.reserved.items() if v != order.verdict}
    position = holding.position
    if isinstance(order, OrderFilled):
        with exactly():
            position += order.quantity if order.side == "buy" else -order.quantity
    return book.with_holding(key, Holding(position, rest))


def part_filled(book: Book, part: OrderPartFilled) -> Book:
    """The book after a part of an order traded: room for the rest is kept.

    Raise ImpossibleTransition if the order is not, or not for so much, the one that was allowed.
    """
    key = (part.strategy, part.instrument)
    holding = book.holdings.get(key, EMPTY)
    allowed = holding.reserved.get(part.verdict)
    if allowed is None or allowed.side != part.side or allowed.quantity <= part.quantity:
        raise ImpossibleTransition(
            f"order {part.order} traded {part.quantity} and works on, but its verdict"
            f" {part.verdict} allows {allowed}"
        )
    with exactly():
        left = allowed.quantity - part.quantity
        change = part.quantity if part.side == "buy" else -part.quantity
        position = holding.position + change
    rest = msgspec.structs.replace(allowed, quantity=left)
    return book.with_holding(key, Holding(position, {**holding.reserved, part.verdict: rest}))


def released(book: Book, key: Key, verdict: str) -> Book:
    """The book without that reservation; the same book if there is none."""
    holding = book.holdings.get(key, EMPTY)
    if verdict not in holding.reserved:
        return book
    rest = {v: r for v, r in holding.reserved.items() if v != verdict}
    return book.with_holding(key, Holding(holding.position, rest))


def _same(allowed: Reservation | None, order: OrderFilled | OrderRejected) -> None:
    if allowed is None or (allowed.side, allowed.quantity) == (order.side, order.quantity):
        return
    raise ImpossibleTransition(
        f"order {order.order} is {order.side} {order.quantity}, but its verdict "
        f"{order.verdict} allowed {allowed.side} {allowed.quantity}"
    )
