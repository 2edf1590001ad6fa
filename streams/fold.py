"""Runs a fold in Faust, once for all: decode, step, emit, dead-letter, checkpoint, acknowledge."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import faust

from hadron import metrics
from hadron.fold import Fold
from hadron.topics import CONTROL
from streams.batching import Fetch
from streams.checkpointing import Checkpointer
from streams.emitting import Emitter, Observer
from streams.intake import REST_S, Intake
from streams.journal import Journal
from streams.lanes import Lanes, Turn
from streams.outbox import Outbox
from streams.owned import Owned
from streams.ranks import COLD, FAST, OTHER, RANK, WARM
from streams.sequencing import Sequencer
from streams.shard import Place, Shard
from streams.standing import Standing
from streams.tools import Pace, Tools
from streams.watch import Watch

# Records of one turn. Small where a FAST slice may come in meanwhile: it waits for one turn.
TURN = {OTHER: 512, FAST: 256, WARM: 256, COLD: 64}


class Stream:
    """One fold over its sources, with a shard for each partition that Kafka assigns to us."""

    def __init__(
        self,
        app: faust.App,
        place: Place,
        make: Callable[[], Fold],
        *,
        tools: Tools,
        pace: Pace,
        observe: Observer | None = None,
        configured: Callable[[Any], None] | None = None,
    ) -> None:
        """`configured` is told of a fold that was restored, and after control facts."""
        self._app = app
        self._place = place
        self._tools = tools
        self._checkpoint_s = pace.checkpoint_s
        self._configured = configured
        process, log, codec = place.process, tools.log, tools.codec
        rank = {place.names.read(name): rank for name, rank in RANK.items()}
        self._lanes = Lanes(rank, turn=TURN)
        self._watch = Watch(
            process,
            telemetry=tools.telemetry,
            pulse=tools.pulse,
            bound=pace.queue_records * place.partitions,
        )
        self._standing = Standing(process, log=log, pulse=tools.pulse, session_s=pace.session_s)
        outbox = Outbox(log, codec, names=place.names, partitions=place.partitions)
        self._emitter = Emitter(
            outbox, place.names, tools=tools, watch=self._watch, observe=observe
        )
        self._checkpointer = Checkpointer(
            place, outbox=outbox, log=log, codec=codec, telemetry=tools.telemetry
        )
        journal = _journal(place, tools)
        self._sequencer = Sequencer(self._lanes, journal, logical=place.names.logical)
        self._owned = Owned(
            place,
            make,
            tools=tools,
            checkpointer=self._checkpointer,
            journal=journal,
            emitter=self._emitter,
            standing=self._standing,
            watch=self._watch,
            configured=configured,
        )
        self._stepped: list[Fetch] = []
        self._cold_rests_until = 0.0
        self._intake = Intake(app, place, self._lanes, rank=rank, pace=pace)
        app.on_partitions_assigned.connect(self._reassigned)

    async def run(self) -> None:
        """Work until cancelled. Raise what must stop the process; nothing is acknowledged then."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._turns())
            tasks.create_task(self._checkpoints())
            tasks.create_task(self._polls())

    def lag(self) -> dict[str, int]:
        """Records on the log that we did not step yet, by logical topic, of our partitions."""
        lag: dict[str, int] = {}
        consumer = self._app.consumer
        for tp in consumer.assignment():
            topic = self._place.names.logical(tp.topic)
            shard, end = self._owned.get(tp.partition), consumer.highwater(tp)
            at = shard.positions.get((topic, tp.partition), 0) if shard else 0
            lag[topic] = lag.get(topic, 0) + max((end or 0) - at, 0)
        return lag

    async def _reassigned(self, *_: Any, **__: Any) -> None:
        """Forget every shard: another may have stepped it meanwhile. The next slice restores it."""
        self._owned.forget()
        self._intake.reassigned()

    async def _turns(self) -> None:
        sequencer, log = self._sequencer, self._tools.log
        while True:
            while sequencer.takes_more and (turns := sequencer.take(but=self._resting())):
                for partition in {turn.slice.partition for turn in turns}:
                    await self._owned.of(partition)
                sequencer.say(turns)
            if not sequencer.ahead:
                await self._intake.wait()
                continue
            await self._standing.until(lambda: sequencer.may_step() and not log.full)
            self._standing.check()
            self._watch.beat()
            batch = sequencer.ahead.popleft()
            for turn in batch.turns:
                await self._step(turn)
            for partition, entry in batch.entries.items():
                if (shard := self._owned.get(partition)) is not None:
                    shard.follow_to(entry.wanted + 1)
                    self._emitter.hashes(shard)
            log.poll()
            await self._intake.let_in()

    def _resting(self) -> int | None:
        return COLD if time.monotonic() < self._cold_rests_until else None

    async def _step(self, turn: Turn) -> None:
        slice, records = turn.slice, turn.records
        shard = await self._owned.of(slice.partition)
        try:
            self._stepped_by(shard, turn)
        except Exception as error:
            error.add_note(f"at {slice.topic}/{slice.partition}, offset {records[0].offset}")
            raise
        if turn.last:
            self._stepped.append(slice.fetch)
            self._intake.taken(slice)
        # Who serves FAST beside us needs a core.
        if self._lanes.rank_of(slice) == COLD and self._app.consumer.fast_flows():
            self._cold_rests_until = time.monotonic() + REST_S

    def _stepped_by(self, shard: Shard, turn: Turn) -> None:
        started = time.perf_counter()
        topic = self._place.names.logical(turn.slice.topic)
        headers = (record.headers for record in turn.records)
        with self._tools.tracer.slice_span(self._place.process, headers) as outgoing:
            outputs = shard.step(topic, turn.records, self._tools.codec)
            # Another may have said the same already, if we were frozen since this was sequenced.
            self._standing.check()
            self._emitter.facts(shard, outputs, outgoing)
        if self._configured is not None and topic == CONTROL.name:
            self._configured(shard.fold)
        took_s = time.perf_counter() - started
        self._watch.stepped(topic, turn.records, shard.poisoned, took_s=took_s)

    async def _checkpoints(self) -> None:
        last = time.monotonic()
        while True:
            await asyncio.sleep(0.05)
            # A rebalance and a stop wait until all is acknowledged: do not let them wait long.
            urgent = self._app.rebalancing or self._app.should_stop
            if urgent or time.monotonic() - last >= self._checkpoint_s:
                last = time.monotonic()
                if self._stepped or any(shard.changed for shard in self._owned):
                    await self._checkpointer.store(self._owned, self._stepped)
                self._show()

    async def _polls(self) -> None:
        while True:
            await asyncio.sleep(0.01)
            self._standing.check()
            self._tools.log.poll()
            if not self._lanes:
                self._watch.beat()

    def _show(self) -> None:
        shards = list(self._owned)
        self._watch.show(
            self._lanes,
            shards=len(shards),
            lag=self.lag(),
            assigned=bool(self._app.consumer.assignment()),
            **{
                metrics.REPEATED: sum(shard.repeated for shard in shards),
                metrics.SUPPRESSED: sum(shard.suppressed for shard in shards),
                metrics.SUPERSEDED: sum(shard.superseded for shard in shards),
            },
        )


def _journal(place: Place, tools: Tools) -> Journal | None:
    if place.journal is None:
        return None
    topic = place.names.write(place.journal)
    return Journal(tools.log, tools.codec, topic=topic, process=place.process)
