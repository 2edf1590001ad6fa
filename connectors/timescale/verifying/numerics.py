"""Cells of NUMERIC columns, as binary COPY has them, of many rows as whole numbers of units."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from connectors.timescale.verifying.longs import Longs

Flags = npt.NDArray[np.bool_]

_NULL = -1
_NEGATIVE = 0x4000
_GROUPS = 5  # of four decimal digits, that a NUMERIC(20,8) has at most
_DIGITS = 18  # that surely fit a long
_HEAD = [("size", ">i4"), ("groups", ">u2"), ("weight", ">i2"), ("sign", ">u2"), ("scale", ">u2")]
_NUMBER = np.dtype([*_HEAD, ("digits", ">u2", _GROUPS)])
_SIZES = np.dtype(">i4")
_LEAST, _MOST = _NUMBER.itemsize - 2 * _GROUPS - 4, _NUMBER.itemsize - 4  # behind the size
# What a group is worth, by the power of ten of its last digit; below 0 it must be whole tens.
_LOWEST, _HIGHEST = -4 * _GROUPS - 4, _DIGITS
_TIMES = np.array([10 ** max(power, 0) for power in range(_LOWEST, _HIGHEST)], np.int64)
_BY = np.array([10 ** min(max(-power, 0), 4) for power in range(_LOWEST, _HIGHEST)], np.int64)


class Cells(NamedTuple):
    """Cells of numbers, by column, and what is behind the last of them.

    What is read of a row that is not `sound` means nothing: it has something else.
    """

    at: list[Longs]
    null: Flags  # by row and column
    after: Longs
    sound: Flags


def windows(data: bytes, kind: np.dtype[Any]) -> npt.NDArray[Any]:
    """What `data` would have of a kind at each of its bytes."""
    return np.ndarray((len(data) - kind.itemsize + 1,), kind, data, strides=(1,))


def cells(data: bytes, at: Longs, ends: Longs, count: int) -> Cells:
    """So many cells of each row, from `at` on; its row ends at `ends`.

    `data` goes on for `count` of the longest numbers, and one more, behind the last row.
    """
    sizes = windows(data, _SIZES)
    begins, null, sound = [], [], np.ones(len(at), np.bool_)
    for _ in range(count):
        size = sizes[at].astype(np.int64)
        empty = size == _NULL
        sound &= empty | ((size >= _LEAST) & (size <= _MOST))
        begins.append(at)
        null.append(empty)
        at = at + 4 + size * (sound & ~empty)
    return Cells(begins, np.column_stack(null), at, sound & (at <= ends))


def units(data: bytes, at: Longs, scale: Longs) -> tuple[Longs, Flags]:
    """Numbers in units of `10 ** -scale`, and where they are: a scale of 0 to 8, and a long."""
    found = windows(data, _NUMBER)[at]
    groups, weight, sign = (found[name].astype(np.int64) for name in ("groups", "weight", "sign"))
    sound = (
        (found["size"] == _LEAST + 2 * groups)
        & (groups <= _GROUPS)
        & ((sign == 0) | (sign == _NEGATIVE))
        & ((scale >= 0) & (scale <= 8))
        & (weight >= -2)
        & (4 * weight + 4 + scale <= _DIGITS)
    )
    groups *= sound
    first = 4 * weight + scale - _LOWEST
    value = np.zeros(len(at), np.int64)
    for place in range(int(groups.max(initial=0))):
        there = groups > place
        power = (first - 4 * place) * there
        digits, by = found["digits"][:, place] * there, _BY[power]
        whole = digits // by
        value += whole * _TIMES[power]
        sound &= whole * by == digits
    return np.where(sign == _NEGATIVE, -value, value), sound
