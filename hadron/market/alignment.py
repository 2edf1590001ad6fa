"""Bringing mantissas of different scales to one, within what a snapshot can hold."""

from __future__ import annotations

# Five of these still fit the 64 bits that a snapshot writes.
FITS = 2**60
TENS = tuple(10**digits for digits in range(19))


def fits(mantissa: int, digits: int) -> bool:
    """Whether a mantissa, not below 0, may be written with so many digits more."""
    return digits <= 18 and mantissa * 10**digits < FITS
