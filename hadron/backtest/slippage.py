"""At which price an order trades that takes what the book shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

import msgspec

from hadron.backtest.market import Top
from hadron.backtest.naming import above_zero, named, nothing
from hadron.orders.touch import Touch
from hadron.portfolio.money import MONEY_DECIMALS, exactly, share
from hadron.strategy.facts import Side


class Taking(msgspec.Struct, frozen=True):
    """An order that is about to trade at the touch."""

    side: Side
    quantity: Decimal
    touch: Touch
    top: Top


# The price after slippage, or in words what it would need to know: no price is made up.
Slippage = Callable[[Taking], Touch | str]


def slippage(text: str) -> Slippage:
    """The model of `--slippage`. Raise SettingsError.

    none; spread:0.5, worse by that share of the spread; book:0.01, a book in which each further
    level, one such step away, shows as much as the touch did: the average over all it takes.
    """
    return named("slippage", text, SLIPPAGE)


def _none(text: str) -> Slippage:
    nothing(text)
    return lambda taking: taking.touch


def _spread(text: str) -> Slippage:
    part = above_zero(text, "spread:SHARE, as in spread:0.5")

    def slipped(taking: Taking) -> Touch | str:
        spread = taking.top.spread()
        if spread is None:
            return "no spread known"
        with exactly():
            return _worse(taking, max(spread, Decimal(0)) * part, f"+{part} spread")

    return slipped


def _book(text: str) -> Slippage:
    step = above_zero(text, "book:STEP, as in book:0.01")

    def slipped(taking: Taking) -> Touch | str:
        level = taking.top.opposite(taking.side)
        if level is None or not level.size:
            return "no size displayed"
        with exactly():
            full, rest = divmod(taking.quantity, level.size)
            # Levels that are taken whole are 0, 1, 2 ... steps away, and the rest lies behind them.
            steps = level.size * full * (full - 1) / 2 + rest * full
        away = share(steps * step, Decimal(1), taking.quantity, decimals=MONEY_DECIMALS)
        return taking.touch if not away else _worse(taking, away, "+book")

    return slipped


def _worse(taking: Taking, by: Decimal, model: str) -> Touch | str:
    with exactly():
        price = taking.touch.price + (by if taking.side == "buy" else -by)
    if price <= 0:
        return "slippage is more than the price"
    return Touch(price, taking.touch.price_from + model)


SLIPPAGE: Mapping[str, Callable[[str], Slippage]] = {
    "none": _none,
    "spread": _spread,
    "book": _book,
}
