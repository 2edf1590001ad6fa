"""A strategy that does what none may: it says a set in whatever order it comes."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import msgspec

from hadron.market.facts import TradePrinted
from hadron.strategy.registry import KINDS
from hadron.strategy.strategy import Book, Signal, Strategy


class NoParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """It has none."""


class Seen(msgspec.Struct):
    """The prices that it saw, as text."""

    prices: set[str] = set()


class Superstitious(Strategy):
    """Buys at each third price, and tells which it saw."""

    version = "1"
    Parameters = NoParameters
    State = Seen

    def __init__(self, parameters: NoParameters, state: Seen) -> None:
        self.state = state

    def on_trade(self, trade: TradePrinted, book: Book) -> Signal | None:
        """Take a trade."""
        self.state.prices.add(str(trade.price))
        if len(self.state.prices) % 3:
            return None
        return Signal("buy", Decimal(1), Decimal(1), evidence={"seen": " ".join(self.state.prices)})


SUPERSTITIOUS: Mapping[str, type[Strategy]] = {**KINDS, "Superstitious": Superstitious}
