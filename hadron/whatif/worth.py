"""What positions come to, at the newest prices that are known."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import msgspec

from hadron.fold import Received, Slice
from hadron.market.facts import PriceMarked
from hadron.portfolio.facts import PositionChanged
from hadron.portfolio.money import exactly
from hadron.portfolio.portfolio import Portfolio

Whose = tuple[str, str]  # portfolio, strategy
ZERO = Decimal(0)


class Profit(msgspec.Struct, frozen=True):
    """Of one strategy in one portfolio, in the instruments' currency, before fees."""

    realised: Decimal = ZERO
    unrealised: Decimal = ZERO

    @property
    def total(self) -> Decimal:
        """Both."""
        with exactly():
            return self.realised + self.unrealised

    def __add__(self, other: Profit) -> Profit:
        with exactly():
            return Profit(self.realised + other.realised, self.unrealised + other.unrealised)

    def __sub__(self, other: Profit) -> Profit:
        with exactly():
            return Profit(self.realised - other.realised, self.unrealised - other.unrealised)


NOTHING = Profit()


class Worth:
    """The fold of live's portfolio, and the newest that it said of each position."""

    def __init__(self) -> None:
        self._portfolio = Portfolio()
        self._newest: dict[tuple[str, str, str], PositionChanged] = {}

    def twin(self) -> Worth:
        """Another in the same state. To be called once: a snapshot has what changed since."""
        twin = Worth()
        twin._portfolio.restore(self._portfolio.snapshot())
        twin._newest = dict(self._newest)
        return twin

    def take(self, slice: Slice) -> None:
        """Take orders or marks."""
        for position in self._portfolio.step(slice):
            key = (position.portfolio, position.strategy, position.instrument)
            self._newest[key] = position

    def held(self) -> list[PositionChanged]:
        """Every position that is not flat, by portfolio, strategy and instrument."""
        return [one for _, one in sorted(self._newest.items()) if one.quantity]

    def profits(self, prices: Mapping[str, PriceMarked]) -> dict[Whose, Profit]:
        """What was and would be made: positions are marked by `prices`, as far as it has them."""
        for instrument in sorted({position.instrument for position in self.held()}):
            if (mark := prices.get(instrument)) is not None:
                self.take(Slice("marks", 0, [Received(0, mark)]))
        found: dict[Whose, Profit] = {}
        for (portfolio, strategy, _), position in sorted(self._newest.items()):
            made = Profit(position.realised, position.unrealised or ZERO)
            whose = (portfolio, strategy)
            found[whose] = found.get(whose, NOTHING) + made
        return found
