"""What is on the log of a run: the live one, or one that was recorded."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from hadron.audit.checkpoints import Recovered
from hadron.audit.facts import StateHashed
from hadron.ports import Codec, FactLog, Record
from hadron.strategy.facts import StrategyDeployed
from hadron.topics import HASHES, LIVE, STRATEGIES, Names, replay_names

NAME_OF_LIVE = "live"
Hashed = dict[int, StateHashed]  # by entries


class Run:
    """One run over the journal of live's engine."""

    def __init__(self, name: str, *, log: FactLog, codec: Codec, partitions: int) -> None:
        self.name = name
        self._names: Names = LIVE if name == NAME_OF_LIVE else replay_names(name)
        self._log = log
        self._codec = codec
        self._partitions = range(partitions)

    def hashes(self, partition: int) -> Hashed:
        """The hashes of a shard."""
        records = self._records(self._names.write(HASHES.name), partition)
        facts = (self._codec.decode(record.value or b"") for record in records)
        return {fact.entries: fact for fact in facts}

    def deployed(self) -> list[StrategyDeployed]:
        """What each version that ran was made of, oldest configuration first."""
        topic = self._names.write(STRATEGIES.name)
        records = [record for p in self._partitions for record in self._records(topic, p)]
        facts = [self._codec.decode(record.value or b"") for record in records]
        return sorted(facts, key=lambda fact: (fact.at_ns, fact.version))

    def _records(self, topic: str, partition: int) -> Iterator[Record]:
        place = (topic, partition)
        start, end = self._log.starts([place])[place], self._log.ends([place])[place]
        if start < end:
            yield from self._log.read(*place, start=start, end=end)


def has_states(hashes: Hashed) -> bool:
    """Whether the state itself can be had from them: of a run that was recorded."""
    return any(fact.positions for fact in hashes.values())


def state_at(hashes: Hashed, entries: int | None) -> Recovered:
    """The state after so many entries, from the changes up to there; None: before the first."""
    if entries is None:
        return Recovered()
    parts: dict[str, bytes] = {}
    for number in sorted(hashes):
        if number <= entries:
            parts.update(hashes[number].parts)
    positions = {(at.topic, at.partition): at.offset for at in hashes[entries].positions}
    kept = {name: part for name, part in parts.items() if part}
    return Recovered(number=1, parts=kept, positions=positions)


class Interval(msgspec.Struct, frozen=True):
    """Entries of a shard's journal behind which two runs differ, and not before them.

    `begin` None: from the first one.
    """

    partition: int
    begin: int | None
    end: int
