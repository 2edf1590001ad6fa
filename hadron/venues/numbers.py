"""Numbers as venues write them, exactly, remembering those that come again and again."""

from __future__ import annotations

import re
from functools import lru_cache

from hadron.errors import ContractError
from hadron.values import LONG_MAX, exact

# More digits after the point than any venue prints; above it a reader's 10**scale would explode.
SCALE_MAX = 18
# RFC 8259, section 6, with leading zeros allowed. Python's own parsers also take "1_0" and "٣".
_NUMBER = re.compile(rb"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,4})?")
_POWERS: tuple[int, ...] = tuple(10**n for n in range(SCALE_MAX + 1))


@lru_cache(maxsize=16_384)
def number_of(text: bytes) -> tuple[int, int]:
    """(mantissa, scale) of a decimal number. Raise ContractError if it is none or does not fit."""
    if len(text) > 64 or not _NUMBER.fullmatch(text):
        raise ContractError(f"not a number: {text[:40]!r}")
    mantissa, scale = exact(text.decode())
    if scale > SCALE_MAX:
        raise ContractError(f"more than {SCALE_MAX} digits after the point: {text[:40]!r}")
    return mantissa, scale


def same_scale(one: tuple[int, int], other: tuple[int, int]) -> tuple[int, int, int]:
    """Both mantissas at the larger of their scales, and that scale; zero fits any scale.

    Raise ContractError if one does not fit there.
    """
    scale = max(one[1] if one[0] else 0, other[1] if other[0] else 0)
    return _at_scale(one, scale), _at_scale(other, scale), scale


def _at_scale(number: tuple[int, int], scale: int) -> int:
    mantissa, own = number
    if not mantissa:
        return 0
    mantissa *= _POWERS[scale - own]
    if not -LONG_MAX <= mantissa <= LONG_MAX:
        raise ContractError(f"number does not fit 64 bits at scale {scale}: {number}")
    return mantissa
