"""Strategies for tests, each with one habit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar

import msgspec

from hadron.market.facts import Quality, QuoteChanged, TradePrinted
from hadron.strategy.registry import KINDS
from hadron.strategy.strategy import Book, Signal, Strategy
from hadron.values import number
from tests.support import a_trade


class NoParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


@dataclass
class Count:
    ticks: int = 0


class Buyer(Strategy):
    """Buys one more with each tick that it is shown, trades and quotes."""

    version = "1"
    Parameters = NoParameters
    State = Count

    def __init__(self, parameters: NoParameters, state: Count) -> None:
        self.state = state

    def on_trade(self, trade: TradePrinted, book: Book) -> Signal | None:
        self.state.ticks += 1
        return Signal("buy", Decimal(self.state.ticks), Decimal(1))

    def on_quote(self, quote: QuoteChanged, book: Book) -> Signal | None:
        self.state.ticks += 1
        return Signal("buy", Decimal(self.state.ticks), Decimal(1))


class Brave(Buyer):
    """A Buyer that takes whatever there is."""

    accepts: ClassVar[frozenset[Quality]] = frozenset({"live", "gap", "late", "stale", "suspect"})


class Broken(Strategy):
    """Raises at prices over 100, in cents."""

    version = "1"
    Parameters = NoParameters
    State = Count

    def __init__(self, parameters: NoParameters, state: Count) -> None:
        self.state = state

    def on_trade(self, trade: TradePrinted, book: Book) -> Signal | None:
        if trade.price > 10_000:
            raise ZeroDivisionError("no more")
        return Signal("sell", Decimal(1), Decimal(1))


class Liar(Strategy):
    """Says what is no signal."""

    version = "1"
    Parameters = NoParameters
    State = Count

    def __init__(self, parameters: NoParameters, state: Count) -> None:
        self.state = state

    def on_trade(self, trade: TradePrinted, book: Book) -> Any:
        return "buy!"


class Unstartable(Liar):
    """Cannot be made."""

    def __init__(self, parameters: NoParameters, state: Count) -> None:
        raise LookupError("no model")


TEST_KINDS: Mapping[str, type[Strategy]] = {
    **KINDS,
    "Buyer": Buyer,
    "Brave": Brave,
    "Broken": Broken,
    "Liar": Liar,
    "Unstartable": Unstartable,
}


class AnyBook(msgspec.Struct, frozen=True):
    """Prices as a test wants them."""

    bid: Decimal | None = None
    ask: Decimal | None = None
    last: Decimal | None = None


def a_trade_at(price: int, scale: int, **changes: Any) -> TradePrinted:
    """A live trade at `price / 10**scale`."""
    return a_trade(f"{number(price, scale):f}", **changes)
