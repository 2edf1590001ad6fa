"""Follows live's journal with one strategy, and holds what it decides against what live decides.

It has the log for reading, and an outbox for topics of shadows: no way leads to desk or gateway.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from hadron.audit.checkpoints import Recovered
from hadron.audit.facts import RecordPoisoned
from hadron.cli.whatif.chosen import Chosen
from hadron.cli.whatif.hearing import Hearing
from hadron.fold import Received, Slice
from hadron.ports import Codec, Reading, Record
from hadron.strategy.facts import DecisionMade
from hadron.topics import CONTROL, DECISIONS, LIVE, SHADOW_DEAD, SHADOW_DECISIONS
from hadron.whatif.agreement import Agreement, marks_of
from hadron.whatif.alone import PROCESS, Alone
from hadron.whatif.listened import Listened
from hadron.whatif.outbox import ShadowOutbox
from hadron.whatif.worth import Profit
from streams.restoring import follow, newest_checkpoint
from streams.shard import Place, Shard

TURN = 500  # entries of a shard, after which what live says is looked at
CLOCKS_APART_MS = 60_000

Stamped = Callable[[Sequence[tuple[str, int]], int], dict[tuple[str, int], int]]


class _One(msgspec.Struct):
    """A shard of the shadow."""

    shard: Shard
    engine: Alone
    heard: list[tuple[Slice, Sequence[Any]]]


class Beside:
    """A shadow of live. `begin`, then `turn` again and again."""

    def __init__(
        self,
        chosen: Chosen,
        *,
        reader: Reading,
        outbox: ShadowOutbox,
        codec: Codec,
        partitions: int,
    ) -> None:
        self.agreement = Agreement(chosen.deployment.name)
        self.entries = 0
        self.failures: list[str] = []  # what the strategy raised
        self._chosen = chosen
        self._reader = reader
        self._outbox = outbox
        self._codec = codec
        self._place = Place("engine", partitions, LIVE)
        self._shards: dict[int, _One] = {}
        self._hearing = Hearing(self._place, reader=reader, codec=codec)

    def begin_with_live(self) -> None:
        """Begin where live's newest checkpoints are, with their state."""
        ends: dict[tuple[str, int], int] = {}
        for partition in range(self._place.partitions):
            recovered = newest_checkpoint(
                self._place, partition, log=self._reader, codec=self._codec
            )
            one = self._open(partition, recovered)
            stepped = one.shard.positions.get((CONTROL.name, partition), 0)
            self._prime(partition, [r for r in self._control(partition) if r.offset < stepped])
            for place, end in recovered.ends.items():
                ends[place] = min(end, ends.get(place, end))
        decisions = self._places(LIVE.read(DECISIONS.name))
        self._hearing.decisions_from({place: ends[place] for place in decisions if place in ends})
        self._add_what_live_has_not()

    def begin_at_the_beginning(self, stamped: Stamped) -> None:
        """Begin with the first entries that the journal still has, and know nothing.

        What people had set before them is known; `stamped` finds records by their time.
        """
        first_ms = []
        for partition in range(self._place.partitions):
            one = self._open(partition, Recovered())
            if (entry := self._first_entry(partition)) is None:
                continue
            first_ms.append(entry.timestamp_ms)
            before = [r for r in self._control(partition) if r.timestamp_ms < entry.timestamp_ms]
            for fact in self._prime(partition, before):
                one.engine.step(Slice(CONTROL.name, partition, [Received(0, fact)]))
        if first_ms:
            since_ms = max(0, min(first_ms) - CLOCKS_APART_MS)
            places = self._places(LIVE.read(DECISIONS.name))
            self._hearing.decisions_from(self._reader.ends(places) | stamped(places, since_ms))
        self._add_what_live_has_not()

    def turn(self, until: Mapping[int, int] | None) -> bool:
        """Follow the journal a little, to `until` at most. False if there was nothing to follow."""
        moved = False
        for partition, one in self._shards.items():
            begun = one.shard.followed or self._start_of_journal(partition)
            end = begun + TURN
            if until is not None:
                end = min(end, until.get(partition, 0))
            for each in follow(
                one.shard, self._place, log=self._reader, codec=self._codec, end=end
            ):
                moved = True
                self.entries += 1
                self.agreement.heard(partition, each.record.offset, one.heard)
                one.heard.clear()
                self._say(each.facts)
        self._outbox.poll()
        self._hear()
        return moved

    def settled(self) -> bool:
        """Whether live has said all of what was followed."""
        self._hear()
        return all(
            self._hearing.stored.get(partition, 0) >= one.shard.followed
            for partition, one in self._shards.items()
        )

    def reached(self, until: Mapping[int, int]) -> bool:
        """Whether the journal was followed so far."""
        return all(
            one.shard.followed >= until.get(partition, 0) for partition, one in self._shards.items()
        )

    def followed(self) -> dict[tuple[str, int], int]:
        """The next entry of each partition of the journal."""
        assert self._place.journal is not None
        journal = LIVE.read(self._place.journal)
        return {(journal, partition): one.shard.followed for partition, one in self._shards.items()}

    def profits(self) -> tuple[Profit, Profit]:
        """Live's and the shadow's, at the prices where the shadow is."""
        live, shadow = self.agreement.live, self.agreement.shadow
        known = {}
        for instrument in {*live.held(), *shadow.held()}:
            for one in self._shards.values():
                if (prices := one.engine.prices(instrument)) is not None:
                    known[instrument] = prices
        marks = marks_of(known)
        return live.profit(marks), shadow.profit(marks)

    def _open(self, partition: int, recovered: Recovered) -> _One:
        chosen = self._chosen
        engine = Alone(chosen.deployment.configured, chosen.kinds, chosen.codes)
        heard: list[tuple[Slice, Sequence[Any]]] = []
        fold = Listened(engine, lambda slice, facts: heard.append((slice, facts)))
        one = _One(Shard(self._place, partition, fold, recovered), engine, heard)
        self._shards[partition] = one
        return one

    def _prime(self, partition: int, records: Sequence[Record]) -> list[Any]:
        facts = [self._codec.decode(record.value) for record in records if record.value is not None]
        for fact in facts:
            self.agreement.learn(fact)
        return facts

    def _add_what_live_has_not(self) -> None:
        if not self._chosen.is_live:
            new = Received(0, self._chosen.deployment.configured)
            for partition, one in self._shards.items():
                one.engine.step(Slice(CONTROL.name, partition, [new]))

    def _say(self, facts: Sequence[Any]) -> None:
        self._outbox.append(
            SHADOW_DECISIONS, [fact for fact in facts if isinstance(fact, DecisionMade)]
        )
        # What nobody can read is dead for live, too, and on its topic.
        failed = [
            fact
            for fact in facts
            if isinstance(fact, RecordPoisoned) and fact.process.startswith(PROCESS)
        ]
        self._outbox.append(SHADOW_DEAD, failed)
        self.failures += [fact.error for fact in failed]

    def _hear(self) -> None:
        for decision in self._hearing.decisions():
            self.agreement.said(decision)
        for partition, before in self._hearing.stored.items():
            self.agreement.settle(partition, before)

    def _control(self, partition: int) -> list[Record]:
        place = (LIVE.read(CONTROL.name), partition)
        start, end = self._reader.starts([place])[place], self._reader.ends([place])[place]
        return list(self._reader.read(*place, start=start, end=end))

    def _first_entry(self, partition: int) -> Record | None:
        assert self._place.journal is not None
        place = (LIVE.read(self._place.journal), partition)
        start, end = self._start_of_journal(partition), self._reader.ends([place])[place]
        return next(iter(self._reader.read(*place, start=start, end=min(end, start + 1))), None)

    def _start_of_journal(self, partition: int) -> int:
        assert self._place.journal is not None
        place = (LIVE.read(self._place.journal), partition)
        return self._reader.starts([place])[place]

    def _places(self, topic: str) -> list[tuple[str, int]]:
        return [(topic, partition) for partition in range(self._place.partitions)]
