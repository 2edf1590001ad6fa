"""Writes what is stepped next before it is, in an order that whoever follows it can keep.

Each shard has a partition of the journal, and writes there alone. So each entry must get the offset
behind the one before it: where it gets another, somebody else steps this shard, too, and whoever
sees it stops before it has stepped anything of that entry. That is what fences a process which
stood still for longer than its session.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from hadron.audit.facts import SequencedSlice, SlicesSequenced
from hadron.errors import HadronError
from hadron.ports import Codec, LoopLog


def sequenced(topic: str, records: Sequence[Any]) -> SequencedSlice:
    """How an entry names records (aiokafka's or ours) of a topic, as the live run calls it."""
    return SequencedSlice(topic, records[0].offset, records[-1].offset + 1)


class Entry(msgspec.Struct):
    """One entry of one shard, and the offset that it must get."""

    partition: int
    wanted: int
    offset: int | None = None


class Journal:
    """The journal of a process, for all of its shards. To be used from one event loop."""

    def __init__(self, log: LoopLog, codec: Codec, *, topic: str, process: str) -> None:
        """`topic` is the name on the log."""
        self.topic = topic
        self._log = log
        self._codec = codec
        self._process = process
        self._next: dict[int, int] = {}
        self._open: dict[int, int] = {}  # entries that are not on the log yet, by partition

    def begin(self, partition: int, at: int) -> None:
        """Take a shard whose journal ends at an offset."""
        self._next[partition] = at

    def append(self, partition: int, slices: Sequence[SequencedSlice]) -> Entry:
        """Say what a shard that was begun steps next. `stored` tells when it may."""
        entry = Entry(partition, self._next[partition])
        self._next[partition] += 1
        self._open[partition] = self._open.get(partition, 0) + 1
        value = self._codec.encode(SlicesSequenced(self._process, list(slices)))

        def placed(offset: int) -> None:
            entry.offset = offset
            self._open[partition] -= 1

        self._log.append(self.topic, partition, [(self._process, value)], placed=placed)
        return entry

    def stored(self, entries: Iterable[Entry]) -> bool:
        """Whether entries are on the log. Raise HadronError if somebody else writes there."""
        for entry in entries:
            if entry.offset is None:
                return False
            if entry.offset != entry.wanted:
                raise HadronError(
                    f"{self.topic}/{entry.partition}: our entry got offset {entry.offset}, wanted"
                    f" {entry.wanted}: another process steps this shard, too"
                )
        return True

    def settled(self, partition: int) -> bool:
        """Whether nothing of ours is on its way to a partition."""
        return not self._open.get(partition)
