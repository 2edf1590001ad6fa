"""What is stepped next: some turns at once, said in the journal before any of them is stepped."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence

import msgspec

from hadron.audit.facts import SequencedSlice
from streams.journal import Entry, Journal, sequenced
from streams.lanes import Lanes, Turn
from streams.ranks import COLD

# Records after which what came in meanwhile is looked at.
BREATH = 64
# Batches that are said before the first of them is stepped: while one is on its way to the log,
# another is stepped. More would wait before a FAST record that comes now.
AHEAD = 2


class Batch(msgspec.Struct):
    """Turns that are stepped in a row, and what the journal says of them, by shard."""

    turns: Sequence[Turn]
    entries: Mapping[int, Entry]


class Sequencer:
    """Takes turns from the lanes. Without a journal, batches are stepped as they are taken."""

    def __init__(
        self, lanes: Lanes, journal: Journal | None, *, logical: Callable[[str], str]
    ) -> None:
        """`logical` gives the name that the live run has for a topic."""
        self.ahead: deque[Batch] = deque()
        self._lanes = lanes
        self._journal = journal
        self._logical = logical

    @property
    def takes_more(self) -> bool:
        """Whether another batch may be said before the next is stepped."""
        return len(self.ahead) < (AHEAD if self._journal else 1)

    def take(self, *, but: int | None) -> list[Turn]:
        """The turns of the next batch; none if nothing waits. The rank `but` goes on waiting."""
        turns: list[Turn] = []
        records = 0
        while records < BREATH and (turn := self._lanes.take(but)) is not None:
            turns.append(turn)
            records += len(turn.records)
            if self._lanes.rank_of(turn.slice) == COLD:
                break  # it may have to rest now
        return turns

    def say(self, turns: Sequence[Turn]) -> None:
        """Put a batch behind those ahead. Its shards' journals were begun."""
        entries = {}
        if self._journal is not None:
            slices: dict[int, list[SequencedSlice]] = {}
            for turn in turns:
                said = sequenced(self._logical(turn.slice.topic), turn.records)
                slices.setdefault(turn.slice.partition, []).append(said)
            entries = {
                partition: self._journal.append(partition, each)
                for partition, each in slices.items()
            }
        self.ahead.append(Batch(turns, entries))

    def may_step(self) -> bool:
        """Whether the first batch is on the log. Raise HadronError if it has another's place."""
        return self._journal is None or self._journal.stored(self.ahead[0].entries.values())
