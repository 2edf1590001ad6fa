"""What a fill costs, by models with names."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping
from decimal import Decimal

import msgspec

from hadron.backtest.naming import above_zero, amount, named, nothing
from hadron.backtest.results import Liquidity
from hadron.portfolio.money import exactly, stated

ZERO = Decimal(0)
PERCENT = Decimal("0.01")


class Traded(msgspec.Struct, frozen=True):
    """What a fee depends on. `month` is the money that the portfolio traded before in the month."""

    quantity: Decimal
    price: Decimal
    liquidity: Liquidity
    month: Decimal


Fees = Callable[[Traded], Decimal]  # in the currency of the price; below zero is a rebate


def fees(text: str) -> Fees:
    """The model of `--fees`. Raise SettingsError.

    none; per-share:0.005; percent:0.1, or percent:0.6/0.4 for takers and makers;
    tiered:0=0.6/0.4,10000=0.4/0.25, percents from so much traded in a calendar month (UTC) on.
    """
    return named("fees", text, FEES)


def _none(text: str) -> Fees:
    nothing(text)
    return lambda _: ZERO


def _per_share(text: str) -> Fees:
    each = above_zero(text, "per-share:AMOUNT, as in per-share:0.005")

    def fee(traded: Traded) -> Decimal:
        with exactly():
            return stated(traded.quantity * each)

    return fee


def _percent(text: str) -> Fees:
    rates = _rates(text, "percent:TAKER/MAKER, as in percent:0.6/0.4")
    return lambda traded: _of_notional(traded, rates)


def _tiered(text: str) -> Fees:
    wanted = "tiered:FROM=TAKER/MAKER,..., from 0 on and growing, as in tiered:0=0.6,10000=0.4"
    tiers = [part.partition("=") for part in text.split(",")]
    begins = [amount(begin, wanted) for begin, _, _ in tiers]
    if begins[0] or begins != sorted(set(begins)):
        raise ValueError(f"wanted {wanted}")
    rates = [_rates(of_tier, wanted) for _, _, of_tier in tiers]
    return lambda traded: _of_notional(traded, rates[bisect_right(begins, traded.month) - 1])


def _rates(text: str, wanted: str) -> Mapping[Liquidity, Decimal]:
    taker, slash, maker = text.partition("/")
    return {"taker": amount(taker, wanted), "maker": amount(maker if slash else taker, wanted)}


def _of_notional(traded: Traded, rates: Mapping[Liquidity, Decimal]) -> Decimal:
    with exactly():
        notional = traded.quantity * traded.price
        return stated(notional * rates[traded.liquidity] * PERCENT)


FEES: Mapping[str, Callable[[str], Fees]] = {
    "none": _none,
    "per-share": _per_share,
    "percent": _percent,
    "tiered": _tiered,
}
