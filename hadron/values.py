"""Exact numbers: text, (mantissa, scale) and Decimal, with no float between them."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache

from hadron.errors import ContractError

LONG_MAX = 2**63 - 1
_DIGITS = frozenset("0123456789")


def exact(text: str) -> tuple[int, int]:
    """Turn a decimal number into (mantissa, scale), keeping trailing zeros: "1.50" is (150, 2).

    Scale is never negative: "1e3" is (1000, 0). Raise ContractError if `text` is no finite number
    or its mantissa does not fit 64 bits.
    """
    whole, dot, fraction = text.partition(".")
    if dot and not _DIGITS.issuperset(fraction):
        return _exact_by_decimal(text)
    try:
        mantissa = int(whole + fraction)
    except ValueError:
        return _exact_by_decimal(text)
    if not -LONG_MAX <= mantissa <= LONG_MAX:
        raise ContractError(f"number does not fit 64 bits: {text[:40]!r}")
    return mantissa, len(fraction)


def _exact_by_decimal(text: str) -> tuple[int, int]:
    try:
        number = Decimal(text)
    except ArithmeticError:
        raise ContractError(f"not a number: {text[:40]!r}") from None
    return parts(number)


def parts(number: Decimal) -> tuple[int, int]:
    """Split a Decimal into (mantissa, scale). Raise ContractError if not finite or too big."""
    # Its text is had in a third of the time of its digits; only "1E+3" and the like want those.
    whole, _, fraction = str(number).partition(".")
    try:
        mantissa = int(whole + fraction)
    except ValueError:
        return _parts_by_digits(number)
    if not -LONG_MAX <= mantissa <= LONG_MAX:
        raise ContractError(f"number does not fit 64 bits: {number}")
    return mantissa, len(fraction)


def _parts_by_digits(number: Decimal) -> tuple[int, int]:
    sign, digits, exponent = number.as_tuple()
    if not isinstance(exponent, int):
        raise ContractError(f"not a finite number: {number}")
    if exponent > 18:
        raise ContractError(f"number does not fit 64 bits: {number}")
    mantissa = int("".join(map(str, digits)) or "0") * 10 ** max(exponent, 0)
    if mantissa > LONG_MAX:
        raise ContractError(f"number does not fit 64 bits: {number}")
    return (-mantissa if sign else mantissa), max(-exponent, 0)


@lru_cache(maxsize=64)
def _unit(scale: int) -> Decimal:
    return Decimal((0, (1,), -scale))


def number(mantissa: int, scale: int) -> Decimal:
    """The Decimal of (mantissa, scale), with `scale` digits after the point."""
    return mantissa * _unit(scale)


def digits(number: Decimal) -> str:
    """A number in digits, without an exponent or zeros at its end."""
    written = format(number, "f")
    return written.rstrip("0").rstrip(".") if "." in written else written
