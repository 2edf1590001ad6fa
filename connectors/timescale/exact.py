"""Which numbers a NUMERIC(20,8) column holds, and how a number gets its scale back."""

from __future__ import annotations

from decimal import Decimal

_LIMIT = Decimal(10) ** 12


def fits(value: Decimal) -> bool:
    """NUMERIC(20,8) holds it without rounding."""
    return abs(value) < _LIMIT and value == round(value, 8)


def mantissa(value: Decimal, scale: int) -> int:
    """The number of units of `10 ** -scale` in a value that is a whole number of them."""
    return int(value.scaleb(scale))


def microseconds(at_ns: int) -> int:
    """Microseconds since the epoch, rounded down, as TIMESTAMPTZ columns have it."""
    return at_ns // 1000
