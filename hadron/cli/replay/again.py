"""Steps what the journal names again, in its order, and compares what follows with the log."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from typing import Any

import msgspec

from hadron.audit.checkpoints import Recovered
from hadron.audit.names import Name, name_of
from hadron.desk.desk import Desk
from hadron.fold import Fold
from hadron.portfolio.portfolio import Portfolio
from hadron.ports import Codec, FactLog, Record
from hadron.strategy.engine import Engine
from hadron.strategy.registry import KINDS
from hadron.topics import DECISIONS, INTENTS, POSITIONS, Names, topic_of
from hadron.wiring.strategies import installed
from streams.restoring import follow
from streams.shard import Place, Shard

# Whose journals there are: the fold, and the topic that is compared.
FOLDS: Mapping[str, tuple[Callable[[], Fold], str]] = {
    "engine": (lambda: Engine(KINDS, installed()), DECISIONS.name),
    "desk": (Desk, INTENTS.name),
    "portfolio": (Portfolio, POSITIONS.name),
}


class Range(msgspec.Struct, frozen=True):
    """Entries of one shard's journal: from `begin` what follows is compared, until `end`."""

    begin: int
    end: int


class Difference(msgspec.Struct, frozen=True):
    """The first fact, in the order of the journal, that is not the same."""

    partition: int
    entry: int | None  # the offset in the journal; None for what only the log has
    name: str
    live: Any
    replayed: Any


class Again(msgspec.Struct):
    """What stepping one shard again gave."""

    partition: int
    entries: int = 0
    records: int = 0
    digests: dict[Name, bytes] = {}
    live: dict[Name, bytes] = {}
    difference: Difference | None = None


class Run(msgspec.Struct, frozen=True):
    """What is stepped again, and how fast: 0 for as fast as can be."""

    process: str
    partitions: int
    names: Names
    speed: float = 0.0

    @property
    def topic(self) -> str:
        return self.names.write(FOLDS[self.process][1])


def again(
    run: Run,
    partition: int,
    bounds: Range,
    *,
    log: FactLog,
    codec: Codec,
    show: Callable[[int], None],
) -> Again:
    """Step a shard's journal from its first entry to `bounds.end`. Nothing is written anywhere.

    `show` is told how many entries are done.
    """
    done = Again(partition)
    place = Place(run.process, run.partitions, run.names)
    shard = Shard(place, partition, FOLDS[run.process][0](), Recovered())
    covered: dict[str, tuple[int, int]] = {}
    made: dict[Name, tuple[int, bytes]] = {}
    pace = _Pace(run.speed)
    for each in follow(shard, place, log=log, codec=codec, end=bounds.end):
        pace.wait(each.record)
        done.entries += 1
        if each.record.offset >= bounds.begin:
            for slice in each.entry.slices:
                first, _ = covered.get(slice.topic, (slice.first, 0))
                covered[slice.topic] = first, slice.end
                done.records += slice.end - slice.first
            for fact in each.facts:
                if run.names.write(topic_of(fact).name) == run.topic:
                    made[name_of(fact)] = each.record.offset, codec.encode(fact)
        show(done.entries)
    compare(run, done, made, covered, log=log, codec=codec)
    return done


def compare(
    run: Run,
    done: Again,
    made: Mapping[Name, tuple[int, bytes]],
    covered: Mapping[str, tuple[int, int]],
    *,
    log: FactLog,
    codec: Codec,
) -> None:
    """Hold what was made against what the log has of the same records."""
    live = dict(_live(run, done.partition, covered, log=log, codec=codec))
    done.digests = {name: sha256(value).digest() for name, (_, value) in made.items()}
    done.live = {name: sha256(value).digest() for name, value in live.items()}
    for name, (entry, value) in made.items():
        if live.get(name) != value:
            said = codec.decode(live[name]) if name in live else None
            done.difference = Difference(
                done.partition, entry, str(name), said, codec.decode(value)
            )
            return
    for name in sorted(live.keys() - made.keys()):
        done.difference = Difference(
            done.partition, None, str(name), codec.decode(live[name]), None
        )
        return


def _live(
    run: Run,
    partition: int,
    covered: Mapping[str, tuple[int, int]],
    *,
    log: FactLog,
    codec: Codec,
) -> Iterator[tuple[Name, bytes]]:
    """What the log has that follows from the records of a shard that were stepped."""
    places = [(run.topic, number) for number in range(run.partitions)]
    ends, starts = log.ends(places), log.starts(places)
    for place in places:
        if starts[place] == ends[place]:
            continue
        for record in log.read(*place, start=starts[place], end=ends[place]):
            if record.value is None:
                continue
            name = codec.name(record.value)
            first, end = covered.get(name.source, (0, 0))
            if name.partition == partition and first <= name.offset < end:
                yield name, record.value


class _Pace:
    """Waits until an entry is due: as long after the first one as it was written, by the speed."""

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._first: tuple[int, float] | None = None

    def wait(self, entry: Record) -> None:
        if not self._speed:
            return
        stamp_ms, began = self._first = self._first or (entry.timestamp_ms, time.monotonic())
        due = began + (entry.timestamp_ms - stamp_ms) / 1000 / self._speed
        time.sleep(max(0.0, due - time.monotonic()))
