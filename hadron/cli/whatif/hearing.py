"""What live says meanwhile: its decisions, and how far its engine is for certain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hadron.ports import Codec, Reading, Record
from hadron.strategy.facts import DecisionMade
from hadron.topics import DECISIONS, LIVE
from streams.shard import Place

Offsets = Mapping[tuple[str, int], int]


class Hearing:
    """Reads on from where it was, each time it is asked."""

    def __init__(self, place: Place, *, reader: Reading, codec: Codec) -> None:
        self.stored: dict[int, int] = {}  # next entry; all that follows from those before is said
        self._place = place
        self._reader = reader
        self._codec = codec
        self._at: dict[tuple[str, int], int] = {}

    def decisions_from(self, offsets: Offsets) -> None:
        """Read those at these offsets first; of other partitions, from their beginning."""
        self._at |= offsets

    def decisions(self) -> Iterator[DecisionMade]:
        """What live has decided since, after `stored` was brought up to date.

        In this order: a checkpoint is written when all that the engine said before it is on the
        log.
        """
        for record in self._new(self._place.state_topic):
            for position in self._codec.decode(record.value or b"").positions:
                if position.topic == self._place.journal:
                    self.stored[record.partition] = position.offset
        for record in self._new(LIVE.read(DECISIONS.name)):
            if record.value is not None:
                yield self._codec.decode(record.value)

    def _new(self, topic: str) -> Iterator[Record]:
        places = [(topic, partition) for partition in range(self._place.partitions)]
        ends, starts = self._reader.ends(places), self._reader.starts(places)
        for place in places:
            start = max(starts[place], self._at.get(place, starts[place]))
            yield from self._reader.read(*place, start=start, end=ends[place])
            self._at[place] = max(start, ends[place])
