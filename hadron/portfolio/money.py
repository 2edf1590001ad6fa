"""Arithmetic of money: exact while it is counted, at most 8 decimals where it is stated."""

from __future__ import annotations

from contextlib import AbstractContextManager
from decimal import (
    ROUND_HALF_EVEN,
    Context,
    Decimal,
    DivisionByZero,
    Inexact,
    InvalidOperation,
    Overflow,
    localcontext,
)

# 64-bit mantissas have 19 digits, so the sums of their products stay far below 200.
# What it computes raises decimal.Inexact where it would have to be rounded.
EXACT = Context(prec=200, traps=[Inexact, InvalidOperation, DivisionByZero, Overflow])
_ROUNDED = Context(prec=200, rounding=ROUND_HALF_EVEN, traps=[InvalidOperation, DivisionByZero])
_WIRE = Context(prec=18, rounding=ROUND_HALF_EVEN, traps=[InvalidOperation])
MONEY_DECIMALS = 8


def exactly() -> AbstractContextManager[Context]:
    """Inside, all arithmetic is EXACT's. For one operation or two, EXACT itself takes less."""
    return localcontext(EXACT)


def share(total: Decimal, part: Decimal, whole: Decimal, *, decimals: int = 18) -> Decimal:
    """`total * part / whole`, rounded half to even at `decimals`."""
    quotient = _ROUNDED.divide(_ROUNDED.multiply(total, part), whole)
    return _ROUNDED.quantize(quotient, Decimal((0, (1,), -decimals)))


def stated(amount: Decimal, *, decimals: int = MONEY_DECIMALS) -> Decimal:
    """The amount as a fact carries it: so many decimals, and 18 significant digits, at most.

    18 digits always fit the 64-bit mantissa of the wire. Rounds half to even.
    """
    if _decimals(amount) > decimals:
        amount = _ROUNDED.quantize(amount, Decimal((0, (1,), -decimals)))
    return _WIRE.plus(amount)


def _decimals(amount: Decimal) -> int:
    # Its text is had in a small part of the time of its exponent.
    text = str(amount)
    if "E" not in text:
        return len(text.partition(".")[2])
    exponent = amount.as_tuple().exponent
    return -exponent if isinstance(exponent, int) else 0
