"""One shard of a fold: its state, how far it has read, and what is already on the log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from hadron.audit.checkpoints import Checkpoints, Recovered, recover
from hadron.audit.facts import CheckpointTaken, RecordPoisoned
from hadron.audit.names import Name, name_of
from hadron.errors import ContractError
from hadron.flow import FLOW, Step
from hadron.fold import Fold, Received, Slice
from hadron.ports import Codec, FactLog, Record
from hadron.topics import ALL, Names

RESTORE_SLICE = 1000


class Place(msgspec.Struct, frozen=True):
    """Which fold this is, and what its topics are called in this run."""

    process: str
    partitions: int
    names: Names

    @property
    def flow(self) -> Step:
        return FLOW[self.process]

    @property
    def state_topic(self) -> str:
        return self.names.write(f"state.{self.process}")

    def output_partitions(self) -> list[tuple[str, int]]:
        """Every partition that the fold may write to."""
        names = (self.names.write(topic) for topic in self.flow.outputs)
        return [(name, partition) for name in names for partition in range(self.partitions)]


class Shard:
    """Steps what it has not stepped yet; keeps back facts that are already on the log."""

    def __init__(self, place: Place, partition: int, fold: Fold, recovered: Recovered) -> None:
        self.partition = partition
        self.positions = dict(recovered.positions)
        self.changed = not recovered.number  # the first checkpoint says where our outputs begin
        self.repeated = 0
        self.suppressed = 0
        self.written: set[Name] = set()  # on the log since the checkpoint
        self._place = place
        self._fold = fold
        self._ends = recovered.ends
        self._checkpoints = Checkpoints(place.process, recovered)
        fold.restore(recovered.parts.items())

    @property
    def superseded(self) -> int:
        """Ticks that the fold passed over because a later one had been applied."""
        return int(getattr(self._fold, "superseded", 0))

    def step(self, topic: str, records: Sequence[Any], codec: Codec) -> list[Any]:
        """The facts that follow from records (aiokafka's or ours) of one source, in order.

        Records before our position are skipped; those that no codec reads are dead-lettered.
        """
        position = self.positions.get((topic, self.partition), -1)
        if records[0].offset < position:
            before = len(records)
            records = [record for record in records if record.offset >= position]
            self.repeated += before - len(records)
            if not records:
                return []
        try:
            facts = self._decoded(records, codec)
            poisoned: list[Any] = []
        except ContractError:
            facts, poisoned = self._decoded_one_by_one(topic, records, codec)
        outputs = list(self._fold.step(Slice(topic, self.partition, facts))) if facts else []
        self.positions[topic, self.partition] = records[-1].offset + 1
        self.changed = True
        outputs += poisoned
        return self._unwritten(outputs) if self.written else outputs

    def checkpoint(self, ends: dict[tuple[str, int], int]) -> CheckpointTaken:
        """The state now, to be stored before the sources are acknowledged."""
        self.changed = False
        self._forget_passed()
        if not self.written:
            self._ends = ends
        return self._checkpoints.take(
            self._fold.snapshot(), positions=self.positions, ends=self._ends
        )

    def _forget_passed(self) -> None:
        """Names behind our position can no longer come up again.

        Until the last of them is, the old ends must stand: a second crash must find them all.
        """
        at = self.positions
        self.written = {
            name for name in self.written if at.get((name.source, self.partition), 0) <= name.offset
        }

    def _decoded(self, records: Sequence[Any], codec: Codec) -> list[Received]:
        values = [record.value for record in records]
        if None in values:  # tombstones of a compacted topic
            records = [record for record in records if record.value is not None]
            values = [record.value for record in records]
        facts = codec.decode_many(values)
        return [Received(r.offset, fact) for r, fact in zip(records, facts, strict=True)]

    def _decoded_one_by_one(
        self, topic: str, records: Sequence[Any], codec: Codec
    ) -> tuple[list[Received], list[Any]]:
        facts: list[Received] = []
        poisoned: list[Any] = []
        for record in records:
            if record.value is None:
                continue
            try:
                facts.append(Received(record.offset, codec.decode(record.value)))
            except ContractError as error:
                poisoned.append(self._poisoned(topic, record, error))
        return facts, poisoned

    def _poisoned(self, topic: str, record: Any, error: ContractError) -> RecordPoisoned:
        stamp_ms = record.timestamp_ms if isinstance(record, Record) else record.timestamp
        return RecordPoisoned(
            source=topic,
            partition=self.partition,
            offset=record.offset,
            index=0,
            process=self._place.process,
            error=str(error),
            seen_ns=stamp_ms * 1_000_000,
            key=record.key,
            value=record.value,
        )

    def _unwritten(self, outputs: list[Any]) -> list[Any]:
        # By name alone: stepped again, a tick may get another lane than it had.
        kept = [fact for fact in outputs if name_of(fact) not in self.written]
        self.suppressed += len(outputs) - len(kept)
        return kept


def restored(place: Place, partition: int, fold: Fold, *, log: FactLog, codec: Codec) -> Shard:
    """A shard as its newest checkpoint left it, knowing what was written after that.

    Blocks while it reads the log.
    """
    state = (place.state_topic, partition)
    recovered = recover(_checkpoints(_whole(log, *state), codec))
    shard = Shard(place, partition, fold, recovered)
    if recovered.number:
        shard.written = _written_since(place, partition, recovered, log=log, codec=codec)
    return shard


def bootstrap(shard: Shard, place: Place, *, log: FactLog, codec: Codec) -> Iterable[Any]:
    """Step the sources that must be known before any other, to their present ends."""
    for topic in place.flow.bootstrap:
        name = place.names.read(topic)
        source = (name, shard.partition)
        end, first = log.ends([source])[source], log.starts([source])[source]
        start = max(first, shard.positions.get((topic, shard.partition), 0))
        if start >= end:
            continue
        for batch in _batches(log.read(name, shard.partition, start=start, end=end)):
            yield from shard.step(topic, batch, codec)


def _written_since(
    place: Place, partition: int, recovered: Recovered, *, log: FactLog, codec: Codec
) -> set[Name]:
    """Names of what this shard wrote after its checkpoint.

    What belongs on every partition counts only if it is on all of them: it is written again else.
    """
    everywhere = {place.names.write(topic.name) for topic in ALL if topic.everywhere}
    ends, starts = log.ends(recovered.ends), log.starts(recovered.ends)
    once: set[Name] = set()
    copies: Counter[Name] = Counter()
    for (topic, output), before in recovered.ends.items():
        start, end = max(before, starts[topic, output]), ends[topic, output]
        for record in log.read(topic, output, start=start, end=end) if start < end else ():
            if record.value is None:
                continue
            name = name_of(codec.decode(record.value))
            if name.partition != partition or name.source not in place.flow.sources:
                continue
            if topic in everywhere:
                copies[name] += 1
            else:
                once.add(name)
    return once | {name for name, count in copies.items() if count >= place.partitions}


def _checkpoints(records: Iterable[Record], codec: Codec) -> Iterable[CheckpointTaken]:
    for record in records:
        if record.value is not None:
            yield codec.decode(record.value)


def _whole(log: FactLog, topic: str, partition: int) -> Iterable[Record]:
    place = (topic, partition)
    start, end = log.starts([place])[place], log.ends([place])[place]
    return log.read(topic, partition, start=start, end=end) if start < end else ()


def _batches(records: Iterable[Record]) -> Iterable[list[Record]]:
    batch: list[Record] = []
    for record in records:
        batch.append(record)
        if len(batch) >= RESTORE_SLICE:
            yield batch
            batch = []
    if batch:
        yield batch
