"""How the desk's state is cut into the parts of a snapshot."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import msgspec

from hadron.control.facts import LimitsChanged, TradingHalted
from hadron.risk.book import Book, Holding, Key


class Shelf:
    """The desk's state: books by portfolio, prices by instrument, and the halt.

    Remembers what changed, so that a snapshot costs what happened since the last one.
    """

    def __init__(self) -> None:
        self.halted: TradingHalted | None = None
        self.prices: dict[str, Decimal] = {}
        self._books: dict[str, Book] = {}
        self._changed: set[tuple[str, ...]] = set()  # what the parts are about

    def book(self, portfolio: str) -> Book:
        """The portfolio's book; an empty one if nothing is known of it."""
        return self._books.get(portfolio) or Book()

    def put_limits(self, limits: LimitsChanged) -> None:
        """Replace the limits of a portfolio."""
        book = self.book(limits.portfolio)
        self._books[limits.portfolio] = msgspec.structs.replace(book, limits=limits)
        self._note("limits", limits.portfolio)

    def put_holding(self, portfolio: str, key: Key, book: Book) -> None:
        """Replace a portfolio's book, of which only the holding under `key` changed."""
        self._books[portfolio] = book
        self._note("holding", portfolio, *key)

    def put_price(self, instrument: str, price: Decimal) -> None:
        """Replace the newest price of an instrument."""
        self.prices[instrument] = price
        self._note("price", instrument)

    def put_halt(self, halted: TradingHalted | None) -> None:
        """Halt, or resume with None."""
        self.halted = halted
        self._note("halt")

    def snapshot(self) -> Iterable[tuple[str, bytes]]:
        """The parts that changed since the last call, in the order of their names."""
        changed, self._changed = self._changed, set()
        # As JSON, because a slash may be in any name.
        named = {msgspec.json.encode(about).decode(): about for about in sorted(changed)}
        for name, about in sorted(named.items()):
            value = self._part(about)
            yield name, b"" if value is None else msgspec.msgpack.encode(value)

    def restore(self, name: str, part: bytes) -> None:
        """Take one part that is not empty. Raise ValueError for a name that is none of ours."""
        kind, *names = msgspec.json.decode(name, type=list[str])
        match kind, names:
            case "halt", []:
                self.halted = msgspec.msgpack.decode(part, type=TradingHalted)
            case "price", [instrument]:
                self.prices[instrument] = msgspec.msgpack.decode(part, type=Decimal)
            case "limits", [portfolio]:
                limits = msgspec.msgpack.decode(part, type=LimitsChanged)
                book = self.book(portfolio)
                self._books[portfolio] = msgspec.structs.replace(book, limits=limits)
            case "holding", [portfolio, strategy, instrument]:
                holding = msgspec.msgpack.decode(part, type=Holding)
                book = self.book(portfolio)
                self._books[portfolio] = book.with_holding((strategy, instrument), holding)
            case _:
                raise ValueError(f"no part of the desk: {name}")

    def _note(self, *about: str) -> None:
        self._changed.add(about)

    def _part(self, about: tuple[str, ...]) -> object:
        match about:
            case ("halt",):
                return self.halted
            case ("price", instrument):
                return self.prices[instrument]
            case ("limits", portfolio):
                return self.book(portfolio).limits
            case (_, portfolio, strategy, instrument):
                return self.book(portfolio).holdings.get((strategy, instrument))
        raise ValueError(f"no part of the desk: {about}")
