"""Steps an interval of the journal in two ways, and stops where they part."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import msgspec

from hadron.audit.checkpoints import Recovered
from hadron.audit.hashes import StateDigest, anonymous
from hadron.audit.journal import followed
from hadron.cli.diff.runs import Interval
from hadron.ports import Codec, FactLog, Record
from hadron.strategy.engine import Engine
from hadron.strategy.facts import DecisionMade
from hadron.topics import JOURNAL, LIVE
from streams.restoring import Followed, follow
from streams.shard import Place, Shard

Make = Callable[[], Engine]
Step = tuple[int, bytes, list[bytes]]  # the entry, the state after it, and what was decided in it


class Side(msgspec.Struct, frozen=True):
    """One run at the record where it parts from the other."""

    outputs: list[Any]
    parts: dict[str, bytes]  # of the state, that the record changed


class Parting(msgspec.Struct, frozen=True):
    """The first record that two runs took differently, and the state before it that it met."""

    entry: int
    record: Record
    fact: Any
    before: dict[str, bytes]
    sides: tuple[Side, Side]


class Stepping:
    """Steps the entries of one interval from the state before it, as often as is asked."""

    def __init__(
        self, interval: Interval, before: Recovered, *, log: FactLog, codec: Codec, partitions: int
    ) -> None:
        self._interval, self._before = interval, before
        self._log, self._codec = log, codec
        self._place = Place("engine", partitions, LIVE)

    def steps(self, make: Make) -> Iterator[Step]:
        """What came of each entry."""
        engine, digest = make(), StateDigest()
        shard = self._shard(engine)
        digest.take(self._before.parts)
        for each in self._followed(shard, self._interval.end):
            state = digest.take(dict(engine.snapshot()))
            yield each.record.offset, state, _decided(each.facts)

    def parting(self, left: Make, right: Make, entry: int) -> Parting | None:
        """The first record of an entry that is taken differently; None if all are alike."""
        engines = left(), right()
        shards = [self._shard(engine) for engine in engines]
        known: dict[str, bytes] = dict(self._before.parts)
        for shard in shards:
            for _ in self._followed(shard, entry):
                pass
        known.update(engines[0].snapshot())
        engines[1].snapshot()
        for topic, record in self._records(shards[0], entry):
            sides = []
            for shard, engine in zip(shards, engines, strict=True):
                facts = shard.step(topic, [record], self._codec)
                sides.append(Side(facts, dict(engine.snapshot())))
            one, other = sides
            if one.parts != other.parts or _decided(one.outputs) != _decided(other.outputs):
                touched = one.parts.keys() | other.parts.keys()
                before = {name: known[name] for name in sorted(touched) if name in known}
                fact = self._codec.decode(record.value or b"")
                return Parting(entry, record, fact, before, (one, other))
            known.update(one.parts)
        return None

    def _records(self, shard: Shard, entry: int) -> list[tuple[str, Record]]:
        """The records of one entry that the shard has not stepped, in their order."""

        def read(topic: str, first: int, end: int) -> Iterable[Record]:
            place = topic, shard.partition
            start = max(first, shard.positions.get(place, 0))
            return self._log.read(*place, start=start, end=end) if start < end else ()

        journal = (JOURNAL["engine"].name, shard.partition)
        [said] = self._log.read(*journal, start=entry, end=entry + 1)
        [slices] = followed([self._codec.decode(said.value or b"")], read)
        return [(topic, record) for topic, records in slices for record in records]

    def _shard(self, engine: Engine) -> Shard:
        return Shard(self._place, self._interval.partition, engine, self._before)

    def _followed(self, shard: Shard, end: int) -> Iterator[Followed]:
        yield from follow(shard, self._place, log=self._log, codec=self._codec, end=end)


def _decided(facts: Sequence[Any]) -> list[bytes]:
    return [anonymous(fact) for fact in facts if isinstance(fact, DecisionMade)]


def parted(left: Iterator[Step], right: Iterator[Step]) -> int | None:
    """The first entry of which not the same came."""
    for one, other in zip(left, right, strict=True):
        if one != other:
            return one[0]
    return None
