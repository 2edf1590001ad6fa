"""Runs a fold in Faust, once for all: decode, step, emit, dead-letter, checkpoint, acknowledge."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

import faust
import structlog
from faust.types.tuples import TP

from hadron import metrics
from hadron.errors import HadronError
from hadron.fold import Fold
from hadron.ports import Telemetry
from hadron.topics import CONTROL, HASHES
from streams.batching import Fetch, use_slices
from streams.checkpointing import Checkpointer
from streams.journal import Journal, sequenced
from streams.lanes import Lanes, Turn, Waiting
from streams.outbox import Outbox
from streams.ranks import COLD, FAST, OTHER, RANK, WARM
from streams.restoring import follow, restored, unread
from streams.sequencing import Sequencer
from streams.shard import Place, Shard
from streams.tools import Pace, Tools
from streams.watch import Watch

events = structlog.get_logger()

# Records of one turn. Small where a FAST slice may come in meanwhile: it waits for one turn.
TURN = {OTHER: 512, FAST: 256, WARM: 256, COLD: 64}
# While FAST flows, a turn of COLD is followed by a rest: who serves FAST beside us needs a core.
REST_S = 0.002
# Where nothing can be done until the log has taken something, we wait within its client, which
# returns at once then: looking again and again would take the core that the broker needs.
WAIT_S = 0.001
BREATH_S = 0.0005  # for the others on the loop: uvloop rounds it to none, simulated time has it
ROUNDS = 32  # of the event loop, at most, that what is fetched needs to get here

T = TypeVar("T")
Observer = Callable[[Sequence[Any], Telemetry], Callable[[], None]]


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
        self._make = make
        self._tools = tools
        self._pace = pace
        self._observe = observe
        self._configured = configured
        self._outbox = Outbox(
            tools.log, tools.codec, names=place.names, partitions=place.partitions
        )
        self._checkpointer = Checkpointer(
            place,
            outbox=self._outbox,
            log=tools.log,
            codec=tools.codec,
            telemetry=tools.telemetry,
        )
        rank = {place.names.read(name): rank for name, rank in RANK.items()}
        self._lanes = Lanes(rank, turn=TURN)
        self._journal = _journal(place, tools)
        self._sequencer = Sequencer(self._lanes, self._journal, logical=place.names.logical)
        self._shards: dict[int, Shard] = {}
        self._stepped: list[Fetch] = []
        self._full: set[Any] = set()
        self._work = asyncio.Event()
        self._alive = time.monotonic()
        self._cold_rests_until = 0.0
        self._watch = Watch(
            place.process,
            telemetry=tools.telemetry,
            pulse=tools.pulse,
            bound=pace.queue_records * place.partitions,
        )
        self._attach(rank)

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
            shard, end = self._shards.get(tp.partition), consumer.highwater(tp)
            at = shard.positions.get((topic, tp.partition), 0) if shard else 0
            lag[topic] = lag.get(topic, 0) + max((end or 0) - at, 0)
        return lag

    def _attach(self, rank: Mapping[str, int]) -> None:
        names = [self._place.names.read(topic) for topic in self._place.flow.sources]
        use_slices(self._app, rank, pause_s=self._pace.fetch_s)
        channel = self._app.topic(
            *names, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw"
        )
        self._app.agent(channel, name=self._place.process)(self._receive)
        self._app.on_partitions_assigned.connect(self._reassigned)

    async def _receive(self, stream: Any) -> None:
        async for event in stream.noack().events():
            fetch = event.message.value
            self._app.consumer.under_way = False
            for tp, records in fetch.received(event):
                self._lanes.put(Waiting(tp.topic, tp.partition, records, fetch))
                if self._lanes.waiting[tp] > self._pace.queue_records and tp not in self._full:
                    self._app.consumer.on_buffer_full(tp)
                    self._full.add(tp)
            self._work.set()

    async def _reassigned(self, *_: Any, **__: Any) -> None:
        """Forget every shard: another may have stepped it meanwhile. The next slice restores it."""
        self._shards.clear()
        self._full.clear()

    async def _turns(self) -> None:
        sequencer = self._sequencer
        while True:
            while sequencer.takes_more and (turns := sequencer.take(but=self._resting())):
                for partition in {turn.slice.partition for turn in turns} - self._shards.keys():
                    await self._restored(partition)
                sequencer.say(turns)
            if not sequencer.ahead:
                await self._come_in()
                continue
            await self._until(sequencer.may_step)
            self._check_alive()
            self._watch.beat()
            batch = sequencer.ahead.popleft()
            for turn in batch.turns:
                await self._step(turn)
            for partition, entry in batch.entries.items():
                if (shard := self._shards.get(partition)) is not None:
                    shard.follow_to(entry.wanted + 1)
                    self._tell_hashes(shard)
            self._outbox.poll()
            await self._let_in()

    def _resting(self) -> int | None:
        return COLD if time.monotonic() < self._cold_rests_until else None

    async def _until(self, true: Callable[[], bool]) -> None:
        """Serve the log until something is true. To wait for Kafka is not to stand still."""
        while not true():
            self._outbox.poll(WAIT_S)
            await asyncio.sleep(BREATH_S)
            self._check_alive()
            self._watch.beat()

    async def _come_in(self) -> None:
        """Wait until there is something to step."""
        self._work.clear()
        if self._lanes:
            asyncio.get_running_loop().call_later(REST_S, self._work.set)
        await self._work.wait()

    async def _let_in(self) -> None:
        """Give others of the loop their turn, until what is fetched for the first lanes is here."""
        for _ in range(ROUNDS):
            await asyncio.sleep(0)
            if not self._app.consumer.brings():
                return

    def _check_alive(self) -> None:
        now = time.monotonic()
        if now - self._alive > self._pace.session_s:
            raise HadronError(
                f"{self._place.process} stood still for {now - self._alive:.1f} s, longer than its"
                f" session of {self._pace.session_s:.0f} s: its partitions may be another's now"
            )
        self._alive = now

    async def _step(self, turn: Turn) -> None:
        slice, records = turn.slice, turn.records
        shard = self._shards.get(slice.partition) or await self._restored(slice.partition)
        try:
            self._stepped_by(shard, turn)
        except Exception as error:
            error.add_note(f"at {slice.topic}/{slice.partition}, offset {records[0].offset}")
            raise
        if turn.last:
            self._stepped.append(slice.fetch)
            self._reopen(slice)
        if self._lanes.rank_of(slice) == COLD and self._app.consumer.fast_flows():
            self._cold_rests_until = time.monotonic() + REST_S

    def _stepped_by(self, shard: Shard, turn: Turn) -> None:
        started = time.perf_counter()
        topic = self._place.names.logical(turn.slice.topic)
        headers = (record.headers for record in turn.records)
        with self._tools.tracer.slice_span(self._place.process, headers) as outgoing:
            outputs = shard.step(topic, turn.records, self._tools.codec)
            # Another may have said the same already, if we were frozen since this was sequenced.
            self._check_alive()
            self._emit(outputs, outgoing)
        if self._configured is not None and topic == CONTROL.name:
            self._configured(shard.fold)
        took_s = time.perf_counter() - started
        self._watch.stepped(topic, turn.records, shard.poisoned, took_s=took_s)

    def _emit(self, outputs: Sequence[Any], headers: Any = None) -> None:
        if outputs:
            stored = self._observe(outputs, self._tools.telemetry) if self._observe else None
            self._watch.emitted(self._outbox.append(outputs, headers=headers, stored=stored))

    def _tell_hashes(self, shard: Shard) -> None:
        """Before the next checkpoint, so that those that are missing are told again."""
        for fact, _ in shard.hashed:
            topic, value = self._place.names.write(HASHES.name), self._tools.codec.encode(fact)
            self._outbox.append_bytes(topic, shard.partition, key=str(fact.entries), value=value)
        shard.hashed.clear()

    def _reopen(self, slice: Waiting) -> None:
        tp = TP(slice.topic, slice.partition)
        if tp in self._full and self._lanes.waiting[tp] < self._pace.queue_records // 2:
            self._full.discard(tp)
            self._app.consumer.on_buffer_drop(tp)

    async def _restored(self, partition: int) -> Shard:
        started = time.perf_counter()
        place, tools, journal = self._place, self._tools, self._journal
        log, codec = tools.log, tools.codec
        if journal is not None:
            await self._until(lambda: journal.settled(partition))
        shard = await _aside(lambda: restored(place, partition, self._make(), log=log, codec=codec))
        if shard.changed:
            await self._checkpointer.store([shard], [])
        if journal is not None:
            for done in await _aside(lambda: list(follow(shard, place, log=log, codec=codec))):
                self._emit(done.facts)
            journal.begin(partition, shard.followed)
        for topic, records in await _aside(lambda: list(unread(shard, place, log=log))):
            entry = journal.append(partition, [sequenced(topic, records)]) if journal else None
            if journal is not None and entry is not None:
                await self._until(partial(journal.stored, [entry]))
            self._emit(shard.step(topic, records, codec))
            if entry is not None:
                shard.follow_to(entry.wanted + 1)
        self._tell_hashes(shard)
        if self._configured is not None:
            self._configured(shard.fold)
        self._shards[partition] = shard
        took = time.perf_counter() - started
        self._watch.restored(took)
        events.info("shard restored", partition=partition, seconds=round(took, 3))
        return shard

    async def _checkpoints(self) -> None:
        last = time.monotonic()
        while True:
            await asyncio.sleep(0.05)
            # A rebalance and a stop wait until all is acknowledged: do not let them wait long.
            urgent = self._app.rebalancing or self._app.should_stop
            if urgent or time.monotonic() - last >= self._pace.checkpoint_s:
                last = time.monotonic()
                if self._stepped or any(shard.changed for shard in self._shards.values()):
                    await self._checkpointer.store(self._shards.values(), self._stepped)
                self._show()

    async def _polls(self) -> None:
        while True:
            await asyncio.sleep(0.01)
            self._outbox.poll()
            self._check_alive()
            if not self._lanes:
                self._watch.beat()

    def _show(self) -> None:
        shards = self._shards.values()
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


async def _aside(read: Callable[[], T]) -> T:
    """Where blocking is no harm."""
    return await asyncio.get_running_loop().run_in_executor(None, read)
