"""Longs of many records at once, column by column: a quarter of the time of a list of them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

Longs = npt.NDArray[np.int64]

_BITS = np.uint64(7)  # of a number in each of its bytes
_MOST = 10  # bytes of a number
_LIMITS = [np.uint64(1 << 7 * more) for more in range(1, _MOST)]  # from which on it has one more
_PLACES = np.arange(_MOST, dtype=np.int8)


def longs_of_rows(rows: Longs) -> list[bytes]:
    """Each row of numbers, one after the other as Avro writes them ("Binary Encoding": zigzag)."""
    width = rows.shape[1]
    left = ((rows << 1) ^ (rows >> 63)).view(np.uint64)
    size = np.ones(left.shape, np.int8)
    for limit in _LIMITS:
        size += left >= limit
    ends = size.ravel().cumsum(dtype=np.int64)
    whole = _written(left, size, ends).tobytes()
    return [whole[start:end] for start, end in pairwise([0, *ends[width - 1 :: width].tolist()])]


def _written(
    left: npt.NDArray[np.uint64], size: npt.NDArray[np.int8], ends: Longs
) -> npt.NDArray[np.uint8]:
    parts = np.empty((*left.shape, _MOST), np.uint8)
    for place in range(int(size.max(initial=0))):
        parts[:, :, place] = left | np.uint64(128)
        left = left >> _BITS
    out = parts[size[:, :, np.newaxis] > _PLACES]
    out[ends - 1] &= 127  # nothing follows the last byte of a number
    return out
