"""The one shape of all stream logic: facts of a shard in, the facts that follow from them out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

import msgspec


class Received(msgspec.Struct, frozen=True, gc=False):
    """A fact and the place where it lies; `at_ns` of a fact's cause is in the fact."""

    offset: int
    fact: Any


class Slice(msgspec.Struct, frozen=True):
    """Consecutive facts of one partition of one topic."""

    topic: str
    partition: int
    records: Sequence[Received]


class Fold(Protocol):
    """State lives in here and nowhere else. No clock, no I/O; time comes in with the facts.

    Cutting the facts into other slices, or restoring a snapshot between any two of them, changes
    no output. A record that cannot be read becomes a RecordPoisoned among the outputs.
    """

    superseded: int  # facts passed over because a later one had been applied, by this fold

    def step(self, slice: Slice, /) -> Sequence[Any]:
        """Take facts of one shard in their order. Return the facts that follow from them.

        Each output names its cause in (source or raw_*, partition, offset, index).
        """

    def snapshot(self) -> Iterable[tuple[str, bytes]]:
        """The parts that changed since the last call; empty bytes for a part that went."""

    def restore(self, parts: Iterable[tuple[str, bytes]]) -> None:
        """Take the parts of a snapshot, into a fold that has not stepped yet."""
