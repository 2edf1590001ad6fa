"""Cells of NUMERIC columns, as binary COPY has them, of many rows as whole numbers of units."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from connectors.timescale.verifying.longs import Longs

Flags = npt.NDArray[np.bool_]

_NULL = 0xFFFF
_NEGATIVE = 0x4000
_GROUPS = 5  # of four decimal digits, that a NUMERIC(20,8) has at most
_DIGITS = 18  # that surely fit a long
_HEAD = 6  # words of two bytes: two of size, count of groups, weight, sign, scale
# What a group is worth, by the power of ten of its last digit; below 0 it must be whole tens.
_LOWEST, _HIGHEST = -4 * _GROUPS - 4, _DIGITS
_TIMES = np.array([10 ** max(power, 0) for power in range(_LOWEST, _HIGHEST)], np.int64)
_BY = np.array([10 ** min(max(-power, 0), 4) for power in range(_LOWEST, _HIGHEST)], np.int64)


class Cells(NamedTuple):
    """Rows as words of two bytes, of which the next cell of each begins at `at`.

    What was read of a row that is not `sound` means nothing: it has something else, or a number
    that a long may not hold.
    """

    words: npt.NDArray[np.uint16]
    at: Longs
    sound: Flags


def cells(rows: Sequence[bytes], start: int, count: int) -> Cells:
    """At most `count` cells of each row, from its byte `start` on."""
    width = 2 * count * (_HEAD + _GROUPS)
    # Blanks are no number: who reads on into them finds that out.
    part = b"".join([row[start : start + width].ljust(width) for row in rows])
    words = np.frombuffer(part, ">u2").astype(np.uint16)
    return Cells(words, np.arange(len(rows)) * (width // 2), np.ones(len(rows), np.bool_))


def chosen(found: Cells, rows: Longs) -> Cells:
    """The cells of some of the rows."""
    return Cells(found.words, found.at[rows], found.sound[rows])


def is_null(found: Cells) -> Flags:
    """Whether the next cell is NULL."""
    first: Flags = found.words[found.at] == _NULL
    second: Flags = found.words[found.at + 1] == _NULL
    return first & second


def nulls(found: Cells, count: int) -> Cells:
    """Go past so many NULLs."""
    for _ in range(count):
        sound = found.sound & is_null(found)
        found = Cells(found.words, found.at + 2 * sound, sound)
    return found


def units(found: Cells, scale: Longs) -> tuple[Longs, Cells]:
    """Go past a number, which is given in units of `10 ** -scale`, where that is 0 to 8."""
    words, at, sound = found
    size, second, groups, weight, sign = (
        words[at + word].astype(np.int64) for word in range(_HEAD - 1)
    )
    weight -= (weight > 0x7FFF) * 0x10000
    sound = (
        sound
        & (size == 0)
        & (second == 8 + 2 * groups)
        & (groups <= _GROUPS)
        & ((sign == 0) | (sign == _NEGATIVE))
        & ((scale >= 0) & (scale <= 8))
        & (weight >= -2)
        & (4 * weight + 4 + scale <= _DIGITS)
    )
    groups = groups * sound
    value = np.zeros(len(at), np.int64)
    for place in range(int(groups.max(initial=0))):
        there = groups > place
        digits = words[(at + _HEAD + place) * there] * there.astype(np.int64)
        power = (4 * (weight - place) + scale) * there - _LOWEST
        by = _BY[power]
        value += digits // by * _TIMES[power]
        sound = sound & (digits % by == 0)
    value = np.where(sign == _NEGATIVE, -value, value)
    return value, Cells(words, at + (_HEAD + groups) * sound, sound)
