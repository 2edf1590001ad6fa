"""How far the causes of facts have been seen, so that a fact written twice counts once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from hadron.audit.names import Name, name_of


class Watermarks:
    """One watermark for each partition that causes lie in.

    It needs facts whose first copies lie in the order of their causes, as all our writers leave
    them: a writer that starts again repeats, but never leaves one out.
    """

    def __init__(self) -> None:
        self._newest: dict[tuple[str, int], Name] = {}
        self._changed: set[tuple[str, int]] = set()

    def covers(self, name: Name) -> bool:
        """Whether that name, or a later one of its partition, was seen."""
        newest = self._newest.get((name.source, name.partition))
        return newest is not None and name <= newest

    def advance(self, fact: Any) -> bool:
        """Remember the fact's name. False, and nothing changes, if it was seen before."""
        name = name_of(fact)
        if self.covers(name):
            return False
        self._newest[name.source, name.partition] = name
        self._changed.add((name.source, name.partition))
        return True

    def snapshot(self) -> Iterable[tuple[str, bytes]]:
        """The watermarks that moved since the last call."""
        moved, self._changed = sorted(self._changed), set()
        for source, partition in moved:
            newest = self._newest[source, partition]
            yield f"seen/{source}/{partition}", msgspec.msgpack.encode(newest)

    def restore(self, part: bytes) -> None:
        """Take one part of a snapshot."""
        newest = msgspec.msgpack.decode(part, type=Name)
        self._newest[newest.source, newest.partition] = newest
