"""Longs of many records at once, column by column: a third of the time of a list of them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

Longs = npt.NDArray[np.int64]

_BITS = np.uint64(7)  # of a number in each of its bytes
_MOST = 10  # bytes of a number


def longs_of_rows(rows: Longs) -> list[bytes]:
    """Each row of numbers, one after the other as Avro writes them ("Binary Encoding": zigzag)."""
    count, width = rows.shape
    left = ((rows << 1) ^ (rows >> 63)).view(np.uint64).ravel()
    size = np.ones(left.shape, np.int64)
    for more in range(1, _MOST):
        size += left >= np.uint64(1 << 7 * more)
    ends = size.cumsum()
    whole = _written(left, size, ends).tobytes()
    cuts = [0, *ends[width - 1 :: width].tolist()] if count else [0]
    return [whole[start:end] for start, end in pairwise(cuts)]


def _written(left: npt.NDArray[np.uint64], size: Longs, ends: Longs) -> npt.NDArray[np.uint8]:
    out = np.empty(int(ends[-1]) if len(ends) else 0, np.uint8)
    at = ends - size
    while len(left):
        more = size > 1
        out[at] = (left & np.uint64(127)).astype(np.uint8) | (more.astype(np.uint8) << 7)
        left, at, size = left[more] >> _BITS, at[more] + 1, size[more] - 1
    return out
