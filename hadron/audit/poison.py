"""When so many records cannot be read that the fault is ours."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence, Set

from hadron.errors import PoisonLimitReached

IN_A_ROW = 100
SHARE = 0.05
WINDOW = 2_000
ENOUGH = 400  # records before a share says anything


class PoisonLimit:
    """Raises PoisonLimitReached at 100 poisoned records in a row, or 5 % of the last 2,000."""

    def __init__(self) -> None:
        self._row = 0
        self._recent: deque[tuple[int, int]] = deque()  # (records, poisoned) of each slice
        self._records = 0
        self._poisoned = 0

    def good(self, records: int) -> None:
        """Take a slice in which every record could be read."""
        if records:
            self._row = 0
            self._add(records, 0)

    def bad(self, offsets: Sequence[int], poisoned: Set[int]) -> None:
        """Take the offsets of a slice in order, and those of them that were poisoned."""
        self._count_row(offsets, poisoned)
        self._add(len(offsets), len(poisoned))
        if self._records >= ENOUGH and self._poisoned > SHARE * self._records:
            raise PoisonLimitReached(
                f"{self._poisoned} of the last {self._records} records cannot be read;"
                f" at most {SHARE:.0%} are tolerated"
            )

    def _count_row(self, offsets: Iterable[int], poisoned: Set[int]) -> None:
        for offset in offsets:
            self._row = self._row + 1 if offset in poisoned else 0
            if self._row >= IN_A_ROW:
                raise PoisonLimitReached(
                    f"{self._row} records in a row cannot be read, the last at offset {offset};"
                    f" fewer than {IN_A_ROW} are tolerated"
                )

    def _add(self, records: int, poisoned: int) -> None:
        self._recent.append((records, poisoned))
        self._records += records
        self._poisoned += poisoned
        while self._records - self._recent[0][0] >= WINDOW:
            gone, gone_poisoned = self._recent.popleft()
            self._records -= gone
            self._poisoned -= gone_poisoned
