"""How far the causes of facts have been seen, so that a fact written twice counts once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import msgspec


class Caused(Protocol):
    """A fact that is named by its cause."""

    @property
    def source(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def index(self) -> int: ...


class Watermark(msgspec.Struct, frozen=True):
    """The newest cause seen of one partition."""

    source: str
    partition: int
    offset: int
    index: int


class Watermarks:
    """One watermark for each partition that causes lie in.

    It needs facts whose first copies lie in the order of their causes, as all our writers leave
    them: a writer that starts again repeats, but never leaves one out.
    """

    def __init__(self) -> None:
        self._newest: dict[tuple[str, int], Watermark] = {}
        self._changed: set[tuple[str, int]] = set()

    def covers(self, source: str, partition: int, offset: int, index: int = 0) -> bool:
        """Whether a fact of that cause, or of a later one of its partition, was seen."""
        newest = self._newest.get((source, partition))
        return newest is not None and (offset, index) <= (newest.offset, newest.index)

    def advance(self, fact: Caused) -> bool:
        """Remember the fact's cause. False, and nothing changes, if it was seen before."""
        if self.covers(fact.source, fact.partition, fact.offset, fact.index):
            return False
        place = (fact.source, fact.partition)
        self._newest[place] = Watermark(fact.source, fact.partition, fact.offset, fact.index)
        self._changed.add(place)
        return True

    def snapshot(self) -> Iterable[tuple[str, bytes]]:
        """The watermarks that moved since the last call."""
        moved, self._changed = sorted(self._changed), set()
        for source, partition in moved:
            newest = self._newest[source, partition]
            yield f"seen/{source}/{partition}", msgspec.msgpack.encode(newest)

    def restore(self, part: bytes) -> None:
        """Take one part of a snapshot."""
        newest = msgspec.msgpack.decode(part, type=Watermark)
        self._newest[newest.source, newest.partition] = newest
