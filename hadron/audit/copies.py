"""Which record of the log each copy of a partition's records is."""

from __future__ import annotations

from bisect import bisect_right


class Copies:
    """Copies made in order, at offsets from 0. Memory grows with the gaps passed over only."""

    def __init__(self) -> None:
        self.count = 0
        self._copies: list[int] = []  # where the originals go on after a gap
        self._originals: list[int] = []

    def add(self, original: int) -> None:
        """The next copy is of the record at this offset, which lies after those before it."""
        if not self._copies or original - self._originals[-1] != self.count - self._copies[-1]:
            self._copies.append(self.count)
            self._originals.append(original)
        self.count += 1

    def original(self, copy: int) -> int:
        """The offset of the record whose copy lies at `copy`. Raise IndexError if none was made."""
        if not 0 <= copy < self.count:
            raise IndexError(f"copy {copy}; wanted 0 to {self.count - 1}")
        place = bisect_right(self._copies, copy) - 1
        return self._originals[place] + copy - self._copies[place]
