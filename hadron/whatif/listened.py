"""A fold that somebody listens to: what goes in, and what follows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from hadron.fold import Fold, Slice

Listener = Callable[[Slice, Sequence[Any]], None]


class Listened:
    """The fold itself. The listener is told of each slice, decoded, after it was stepped."""

    def __init__(self, fold: Fold, listener: Listener) -> None:
        self._fold = fold
        self._listener = listener

    @property
    def superseded(self) -> int:
        """See Fold."""
        return self._fold.superseded

    @superseded.setter
    def superseded(self, count: int) -> None:
        self._fold.superseded = count

    def step(self, slice: Slice, /) -> Sequence[Any]:
        """See Fold."""
        facts = self._fold.step(slice)
        self._listener(slice, facts)
        return facts

    def snapshot(self) -> Iterable[tuple[str, bytes]]:
        """See Fold."""
        return self._fold.snapshot()

    def restore(self, parts: Iterable[tuple[str, bytes]]) -> None:
        """See Fold."""
        self._fold.restore(parts)
