"""Work that no change of ours makes faster or slower: what a machine can do now, by kind of work.

Each takes a few milliseconds, and touches memory about as much as what is measured beside it.
"""

from __future__ import annotations

from hashlib import sha256
from struct import Struct

import numpy as np

_PACK = Struct(">qqiq").pack
LENGTH = 8_000  # so short that columns stay in a core's own cache
_COLUMN = np.arange(LENGTH, dtype=np.int64)
_VALUES = [bytes([n % 256]) * 120 for n in range(2_000)]


class _Thing:
    __slots__ = ("at", "name", "numbers")

    def __init__(self, name: str, at: int, numbers: list[int]) -> None:
        self.name, self.at, self.numbers = name, at, numbers

    def moved(self, by: int) -> _Thing:
        return _Thing(self.name, self.at + by, self.numbers)


def objects() -> int:
    """Calls, small objects, look-ups, integers, text and bytes: most of what we do."""
    known: dict[str, _Thing] = {}
    parts: list[bytes] = []
    for n in range(2_000):
        name = f"eq:S{n % 97}"
        thing = known.get(name)
        if thing is None:
            thing = known[name] = _Thing(name, n, [])
        moved = thing.moved(n)
        if moved.at % 3 and moved.name != "eq:S5":
            moved.numbers.append(moved.at * 10_000 // (n + 1))
            if len(moved.numbers) > 5:
                moved.numbers.pop(0)
        known[name] = moved
        parts.append(_PACK(moved.at, n * 1_000_003, n, sum(moved.numbers)))
    return len(b"".join(parts))


def hashes() -> int:
    """SHA-256 of records, which some processors have instructions for."""
    return len(b"".join([sha256(b"begun" + value).digest() for value in _VALUES]))


def arrays() -> int:
    """Columns of numbers."""
    edges = 0
    for _ in range(50):
        sums = np.cumsum(_COLUMN)
        apart = (sums[5:] - sums[:-5]) * 3
        edges += len(np.flatnonzero(np.diff((apart > 7).view(np.int8), prepend=np.int8(0))))
    return edges
