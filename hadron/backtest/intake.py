"""Raw events into the ticks that live's normalize would have made, and where these would lie."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hadron.audit.facts import RecordPoisoned
from hadron.backtest.batches import Placed, Raws, Ticks, ticks_at
from hadron.fold import Slice
from hadron.market.facts import Tick
from hadron.market.normalizer import Normalizer
from hadron.topics import TICKS
from hadron.venues.parsed import Parser

Place = tuple[str, int]


class Intake:
    """A Normalizer, and how far `ticks.<lane>` would be written."""

    def __init__(self, parsers: Mapping[str, Parser]) -> None:
        self.taken = 0  # raw events
        self._normalizer = Normalizer(parsers)
        self._ends: Counter[Place] = Counter()

    def step(self, slice: Slice) -> Sequence[Any]:
        """Take control facts or positions."""
        return self._normalizer.step(slice)

    def normalized(self, batch: Raws) -> tuple[Ticks, list[RecordPoisoned]]:
        """The ticks of raw events in the order of these, and what nobody could read."""
        self.taken += len(batch.records)
        order = {(r.topic, r.partition, r.received.offset): n for n, r in enumerate(batch.records)}
        found: list[tuple[int, Tick]] = []
        poisoned: list[RecordPoisoned] = []
        for (topic, partition), records in _by_partition(batch.records).items():
            slice = Slice(topic, partition, [record.received for record in records])
            for fact in self._normalizer.step(slice):
                if isinstance(fact, RecordPoisoned):
                    poisoned.append(fact)
                else:
                    found.append((order[topic, partition, fact.raw_offset], fact))
        found.sort(key=_first)
        ticks = [tick for _, tick in found]
        return ticks_at(ticks, [self._place(tick) for tick in ticks]), poisoned

    def _place(self, tick: Tick) -> int:
        place = TICKS[tick.lane].name, tick.raw_partition
        self._ends[place] += 1
        return self._ends[place] - 1


def _by_partition(records: Iterable[Placed]) -> dict[Place, list[Placed]]:
    by_place: dict[Place, list[Placed]] = {}
    for record in records:
        by_place.setdefault((record.topic, record.partition), []).append(record)
    return by_place


def _first(pair: tuple[int, Tick]) -> int:
    return pair[0]
