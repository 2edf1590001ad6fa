"""At which real price an order would trade now. No price is ever made up."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from hadron.strategy.facts import Side

_OPPOSITE = {"buy": "ask", "sell": "bid"}


class Touch(msgspec.Struct, frozen=True):
    """A real price, and which one it is: "ask", "bid" or "last"."""

    price: Decimal
    price_from: str


def touch(
    side: Side, *, bid: Decimal | None, ask: Decimal | None, last: Decimal | None
) -> Touch | None:
    """The price an order of `side` takes: the opposite quote, else the last trade, else None.

    A price that is not above zero is a missing one: venues write 0 for a side without orders.
    """
    quoted = ask if side == "buy" else bid
    for price, name in ((quoted, _OPPOSITE[side]), (last, "last")):
        if price is not None and price > 0:
            return Touch(price, name)
    return None
