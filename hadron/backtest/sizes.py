"""How much of an order trades at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Protocol

from hadron.backtest.market import ZERO, Top
from hadron.backtest.naming import above_zero, named, nothing
from hadron.portfolio.money import exactly
from hadron.strategy.facts import Side

NO_SIZE = "no size displayed"


class Sizes(Protocol):
    """What the market gives to an order of a side that wants `left`."""

    on_quotes: bool  # whether a rest tries again at each quote, rather than at each trade

    def displayed(self, left: Decimal, top: Top, side: Side) -> Decimal | str:
        """What it may take from the book now; in words why none of it can ever be known."""

    def printed(self, left: Decimal, size: Decimal) -> Decimal:
        """What it has of a trade of so much."""


def sizes(text: str) -> Sizes:
    """The model of `--partial`. Raise SettingsError.

    none: all of an order at once, whatever the size, as the live simulation does; displayed: at
    most what the touch shows, each quote's size once, the rest at the quotes that follow;
    traded:0.1, at most that share of each trade that is printed after it came.
    """
    return named("partial", text, SIZES)


class Whole:
    on_quotes = True

    def displayed(self, left: Decimal, top: Top, side: Side) -> Decimal | str:
        return left

    def printed(self, left: Decimal, size: Decimal) -> Decimal:
        return left


class Displayed:
    on_quotes = True

    def displayed(self, left: Decimal, top: Top, side: Side) -> Decimal | str:
        level = top.opposite(side)
        return NO_SIZE if level is None else min(left, level.left)

    def printed(self, left: Decimal, size: Decimal) -> Decimal:
        return min(left, size)


class Traded:
    on_quotes = False

    def __init__(self, share: Decimal) -> None:
        self._share = share

    def displayed(self, left: Decimal, top: Top, side: Side) -> Decimal | str:
        return ZERO

    def printed(self, left: Decimal, size: Decimal) -> Decimal:
        with exactly():
            return min(left, size * self._share)


def _whole(text: str) -> Sizes:
    nothing(text)
    return Whole()


def _displayed(text: str) -> Sizes:
    nothing(text)
    return Displayed()


def _traded(text: str) -> Sizes:
    share = above_zero(text or "1", "traded:SHARE, as in traded:0.1")
    if share > 1:
        raise ValueError("wanted a share of at most 1")
    return Traded(share)


SIZES: Mapping[str, Callable[[str], Sizes]] = {
    "none": _whole,
    "displayed": _displayed,
    "traded": _traded,
}
