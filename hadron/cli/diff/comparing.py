"""Compares two runs: their hashes by halves, then the one interval in which they part."""

from __future__ import annotations

from typing import Any

import msgspec

from hadron.audit.divergence import (
    Change,
    chained,
    first_difference,
    same,
    value_changes,
)
from hadron.cli.diff.code import code_changes
from hadron.cli.diff.runs import NAME_OF_LIVE, Hashed, Interval, Run, has_states, state_at
from hadron.cli.diff.stepping import Parting, Side, Stepping, parted
from hadron.cli.diff.versions import Stepped, stepped
from hadron.ports import Codec, FactLog
from hadron.topics import JOURNAL


class Shard(msgspec.Struct, frozen=True):
    """One shard: hashes that both runs have, how many were compared, and what they say.

    Both were the same for the first `equal` entries; by `differs` they are not, None if they are.
    """

    partition: int
    hashes: int
    compared: int
    equal: int
    differs: int | None


class Event(msgspec.Struct, frozen=True):
    """The record that was taken differently."""

    topic: str
    partition: int
    offset: int
    kind: str
    fact: Any


class Outcome(msgspec.Struct, frozen=True):
    """What one run made of it: what it said, and the state that it changed."""

    run: str
    outputs: list[Any]
    state: dict[str, Any]


class Divergence(msgspec.Struct, frozen=True):
    """Where two runs part: an entry of the journal, the event in it, and what each made of it."""

    partition: int
    entry: int
    event: Event
    before: dict[str, Any]
    left: Outcome
    right: Outcome
    changes: list[Change]


class Report(msgspec.Struct, frozen=True):
    """The whole result. `code` is what differs in what the strategies were made of."""

    left: str
    right: str
    same: bool
    hashes: int
    compared: int
    shards: list[Shard]
    first: Divergence | None
    code: list[Change]
    notes: list[str]


class Comparing:
    """Two runs over one journal."""

    def __init__(
        self, left: Run, right: Run, *, log: FactLog, codec: Codec, partitions: int
    ) -> None:
        self._runs = left, right
        self._log, self._codec, self._partitions = log, codec, partitions
        self._partings: list[tuple[int, int, Parting, tuple[Stepped, Stepped]]] = []
        self._notes: list[str] = []

    def report(self) -> Report:
        """Look at each shard. Raise HadronError if a version cannot be run here."""
        shards = [self._shard(partition) for partition in range(self._partitions)]
        left, right = self._runs
        first, code = self._first()
        return Report(
            left=left.name,
            right=right.name,
            same=all(shard.differs is None for shard in shards),
            hashes=sum(shard.hashes for shard in shards),
            compared=sum(shard.compared for shard in shards),
            shards=shards,
            first=first,
            code=code,
            notes=self._notes,
        )

    def _shard(self, partition: int) -> Shard:
        left, right = (run.hashes(partition) for run in self._runs)
        both = sorted(left.keys() & right.keys())
        if both and not chained(left[both[0]], right[both[0]]):
            self._notes.append(
                f"shard {partition}: the chains of the runs did not begin alike, so that states are"
                " compared without what was before them"
            )
        place = first_difference(len(both), lambda n: same(left[both[n]], right[both[n]]))
        equal = both[: place.first]
        begin = equal[-1] if equal else None
        if place.first is not None:
            differs: int | None = both[place.first]
            self._look(Interval(partition, begin, both[place.first]), left, right)
        else:
            differs = self._behind_the_last(partition, begin, left, right)
        return Shard(partition, len(both), place.compared, begin or 0, differs)

    def _behind_the_last(
        self, partition: int, begin: int | None, left: Hashed, right: Hashed
    ) -> int | None:
        """The end of what is behind the last common hash, if the runs part there."""
        end = min(self._end(run, hashes, partition) for run, hashes in self._pairs(left, right))
        interval = Interval(partition, begin, end)
        if (begin or 0) >= end or left is right or not self._look(interval, left, right):
            return None
        return end

    def _end(self, run: Run, hashes: Hashed, partition: int) -> int:
        if run.name != NAME_OF_LIVE:
            return max(hashes, default=0)
        journal = (JOURNAL["engine"].name, partition)
        return self._log.ends([journal])[journal]

    def _pairs(self, left: Hashed, right: Hashed) -> list[tuple[Run, Hashed]]:
        return list(zip(self._runs, (left, right), strict=True))

    def _look(self, interval: Interval, left: Hashed, right: Hashed) -> bool:
        """Step an interval as both runs did. Whether they part in it."""
        source = left if has_states(left) else right
        before = state_at(source, interval.begin)
        stepping = Stepping(
            interval,
            before,
            log=self._log,
            codec=self._codec,
            partitions=self._partitions,
        )
        found = []
        for run, hashes in self._pairs(left, right):
            if (done := stepped(run, hashes, interval, stepping)) is None:
                self._notes.append(
                    f"shard {interval.partition}: behind entry {interval.begin or 0} and before"
                    f" {interval.end} the runs differ, but no version that is known of {run.name}"
                    " leads to its hash, so that the entry cannot be told"
                )
                return True
            found.append(done)
        one, other = found
        entry = parted(iter(one.steps), iter(other.steps))
        if entry is None:
            return False
        parting = stepping.parting(one.make, other.make, entry)
        if parting is not None:
            at_ms = parting.record.timestamp_ms
            self._partings.append((at_ms, interval.partition, parting, (one, other)))
        return True

    def _first(self) -> tuple[Divergence | None, list[Change]]:
        if not self._partings:
            return None, []
        _, partition, parting, made = min(self._partings, key=lambda one: one[:2])
        record = parting.record
        event = Event(
            record.topic,
            record.partition,
            record.offset,
            type(parting.fact).__name__,
            parting.fact,
        )
        left, right = (
            _outcome(run, side) for run, side in zip(self._runs, parting.sides, strict=True)
        )
        changes = value_changes(
            msgspec.to_builtins({"outputs": left.outputs, "state": left.state}),
            msgspec.to_builtins({"outputs": right.outputs, "state": right.state}),
        )
        before = {name: readable(part) for name, part in parting.before.items()}
        divergence = Divergence(partition, parting.entry, event, before, left, right, changes)
        ours, theirs = (one.chosen for one in made)
        code = [
            change
            for kind in sorted(ours.keys() & theirs.keys())
            for change in code_changes(ours[kind], theirs[kind])
        ]
        return divergence, code


def _outcome(run: Run, side: Side) -> Outcome:
    return Outcome(run.name, side.outputs, {n: readable(p) for n, p in side.parts.items()})


def readable(part: bytes) -> Any:
    """A part of a state, and the states of strategies in it, as JSON has values."""
    return _opened(msgspec.msgpack.decode(part)) if part else None


def _opened(value: Any) -> Any:
    match value:
        case bytes():
            return readable(value)
        case dict():
            return {name: _opened(inner) for name, inner in value.items()}
        case list():
            return [_opened(inner) for inner in value]
        case _:
            return value
