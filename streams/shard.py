"""One shard of a fold: its state, how far it has read, and what is already on the log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Any

import msgspec

from hadron.audit import names
from hadron.audit.checkpoints import Checkpoints, Recovered
from hadron.audit.facts import CheckpointTaken, RecordPoisoned, StateHashed
from hadron.audit.hashes import PART, resumed
from hadron.audit.letters import dead_letter
from hadron.audit.names import NOTHING, Written, name_of
from hadron.errors import ContractError
from hadron.flow import FLOW, Step
from hadron.fold import Fold, Received, Slice
from hadron.ports import Codec, Record
from hadron.topics import JOURNAL, Names, topic_of


class Place(msgspec.Struct, frozen=True):
    """Which fold this is, and what its topics are called in this run."""

    process: str
    partitions: int
    names: Names
    hash_every: int = 0  # entries of the journal; 0: never

    @property
    def flow(self) -> Step:
        return FLOW[self.process]

    @property
    def state_topic(self) -> str:
        return self.names.write(f"state.{self.process}")

    @property
    def journal(self) -> str | None:
        """The topic, as the live run calls it, that says what is stepped in which order."""
        topic = JOURNAL.get(self.process)
        return topic.name if topic else None

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
        self.poisoned: Set[int] = frozenset()  # offsets of the last step that nobody can read
        self.written: Written = NOTHING  # on the log since the checkpoint
        self._place = place
        self.fold = fold
        self.hashed: list[tuple[StateHashed, Mapping[str, bytes]]] = []  # for who drives us
        self._unsaved: dict[str, bytes] = {}  # parts since the checkpoint
        self._ends = recovered.ends
        self._checkpoints = Checkpoints(place.process, recovered)
        parts = recovered.parts
        self._hashes = resumed(place.process, parts, every=place.hash_every, at=self.followed)
        fold.restore((name, part) for name, part in parts.items() if name != PART)
        if self._hashes is None and PART in parts:
            self._unsaved[PART] = b""  # a chain does not go on where entries are missing

    @property
    def superseded(self) -> int:
        """Ticks that the fold passed over because a later one had been applied."""
        return self.fold.superseded

    def step(self, topic: str, records: Sequence[Any], codec: Codec) -> list[Any]:
        """The facts that follow from records (aiokafka's or ours) of one source, in order.

        Records before our position are skipped; those that no codec reads are dead-lettered.
        """
        self.poisoned = frozenset()
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
        outputs = list(self.fold.step(Slice(topic, self.partition, facts))) if facts else []
        self.positions[topic, self.partition] = records[-1].offset + 1
        self.changed = True
        outputs += poisoned
        if self._hashes is not None:
            self._hashes.said(outputs)
        # Before what is on the log is kept back: a restart must meet the limit of poison again.
        # What a strategy said when it failed is no fault of the record: "engine/<strategy>".
        process = self._place.process
        self.poisoned = {
            fact.offset
            for fact in outputs
            if type(fact) is RecordPoisoned and fact.process == process
        }
        return self._unwritten(outputs) if self.written else outputs

    @property
    def followed(self) -> int:
        """The first entry of the journal that is not stepped as a whole."""
        return self.positions.get((self._place.journal or "", self.partition), 0)

    def follow_to(self, offset: int) -> None:
        """Take every entry of the journal before `offset` as stepped."""
        assert self._place.journal is not None
        if offset > self.followed:
            self.positions[self._place.journal, self.partition] = offset
            self.changed = True
            if self._hashes is not None and self._hashes.is_due(offset):
                self.hash()

    def hash(self) -> None:
        """Put the hash of the state now, and the parts that changed, behind `hashed`."""
        assert self._hashes is not None
        self._see_changes()
        self.hashed.append(self._hashes.take(self.followed))

    def checkpoint(self, ends: dict[tuple[str, int], int]) -> CheckpointTaken:
        """The state now, to be stored before the sources are acknowledged."""
        self.changed = False
        self._forget_passed()
        if not self.written:
            self._ends = ends
        self._see_changes()
        if self._hashes is not None:
            self._unsaved[PART] = self._hashes.kept()
        changed, self._unsaved = self._unsaved, {}
        return self._checkpoints.take(changed.items(), positions=self.positions, ends=self._ends)

    def _see_changes(self) -> None:
        changed = dict(self.fold.snapshot())
        self._unsaved.update(changed)
        if self._hashes is not None:
            self._hashes.changed(changed)

    def _forget_passed(self) -> None:
        """Names behind our position can no longer come up again.

        Until the last of them is, the old ends must stand: a second crash must find them all.
        """
        at = self.positions
        self.written = {
            name: partitions
            for name, partitions in self.written.items()
            if at.get((name.source, self.partition), 0) <= name.offset
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
        return dead_letter(
            names.Place(topic, self.partition, record.offset),
            error,
            process=self._place.process,
            seen_ns=stamp_ms * 1_000_000,
            key=record.key,
            value=record.value,
        )

    def _unwritten(self, outputs: list[Any]) -> list[Any]:
        # By name alone: stepped again, a tick may get another lane than it had.
        kept = [fact for fact in outputs if not self._is_written(fact)]
        self.suppressed += len(outputs) - len(kept)
        return kept

    def _is_written(self, fact: Any) -> bool:
        copies = len(self.written.get(name_of(fact), ()))
        return copies >= (self._place.partitions if topic_of(fact).everywhere else 1)
