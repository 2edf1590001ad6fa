"""Faust around the real slices: the consumer's own code, on partitions of the simulated cluster.

What Faust's app does around it at a rebalance and at a stop is written down here as
`faust.app.base` and `faust.tables.recovery` do it for an app without tables.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from aiokafka.errors import IllegalStateError
from faust.transport.utils import DefaultSchedulingStrategy
from faust.types.tuples import TP

from streams.fetching import FetchedRecord
from tests.simulation.clock import Life
from tests.simulation.cluster import Cluster, Place
from tests.simulation.groups import Group, Member

MOST_RECORDS = 7  # of a partition in one fetch
FETCH_S = 0.01


class Fetcher:
    """What aiokafka does for one member: positions, fetches, commits."""

    def __init__(self, cluster: Cluster, group: Group) -> None:
        self._cluster, self._group = cluster, group
        self._at: dict[Place, int] = {}
        self.member: Member | None = None

    def assignment(self) -> set[TP]:
        """What is ours."""
        return {TP(*place) for place in self._at}

    def assign(self, places: Sequence[Place]) -> None:
        """Take partitions, from what is committed."""
        self._at = dict.fromkeys(places, 0)
        self._seek()

    def highwater(self, tp: TP) -> int:
        """Where it ends."""
        return self._cluster.log.ends([tp])[tp]

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Read from what is committed: a trip for each partition, which may be taken meanwhile."""
        places = list(self._at)
        for place in places:
            await asyncio.sleep(self._cluster.delay())
            if place not in self._at:
                raise IllegalStateError(f"No current assignment for partition {place}")
        return self._seek()

    async def commit(self, offsets: Mapping[TP, int]) -> bool:
        """As aiokafka: False for a member that the group has gone on without."""
        await asyncio.sleep(self._cluster.delay())
        assert self.member is not None
        return self._group.commit(self.member, {tuple(tp): at for tp, at in offsets.items()})

    async def getmany(self, active: set[TP] | None, timeout: float) -> dict[TP, list[Any]]:
        """Some records of some partitions, once there are any."""
        await asyncio.sleep(FETCH_S + self._cluster.delay())
        draw, found = self._cluster.loop.draw, dict[TP, list[Any]]()
        for place in [place for place in self._at if TP(*place) in (active or ())]:
            start = self._at[place]
            end = min(self._cluster.log.ends([place])[place], start + draw.randint(1, MOST_RECORDS))
            if start < end and draw.random() < 0.8 and self._cluster.away_until <= self.now:
                records = list(self._cluster.log.read(*place, start=start, end=end))
                if records:
                    found[TP(*place)] = [_fetched(record) for record in records]
                self._at[place] = end
        if not found and self._caught_up(active):
            await asyncio.wait([self._cluster.next_record()], timeout=min(timeout, 0.2))
        return found

    @property
    def now(self) -> float:
        return self._cluster.loop.now

    def _caught_up(self, active: set[TP] | None) -> bool:
        ends = self._cluster.log.ends(self._at)
        return all(at >= ends[p] for p, at in self._at.items() if TP(*p) in (active or ()))

    def _seek(self) -> dict[TP, int]:
        starts = self._cluster.log.starts(self._at)
        committed = {place: self._group.offsets.get(place) for place in self._at}
        for place, at in committed.items():
            self._at[place] = starts[place] if at is None else at
        return {TP(*place): at for place, at in committed.items() if at is not None}


class Simulated:
    """Put before the real consumer: another thread that fetches, and no services."""

    fetcher: Fetcher

    def _new_consumer_thread(self) -> Any:
        return self.fetcher

    def add_dependency(self, service: Any) -> Any:
        """Nothing is started: what would run in services runs in tasks of the app."""
        return service

    def brings(self) -> bool:
        """A fetch needs no rounds of the loop to get here."""
        return False


class Event:
    """What an agent gets: the message, to be acknowledged once."""

    def __init__(self, consumer: Any, message: Any) -> None:
        self.message, self._consumer = message, consumer

    def ack(self) -> None:
        """Tell the consumer."""
        self._consumer.ack(self.message)


class App:
    """As much of a Faust app as a stream asks for."""

    def __init__(self, cluster: Cluster, group: Group, life: Life) -> None:
        self.rebalancing = self.should_stop = self.in_transaction = self.client_only = False
        self.in_recovery = False
        self.consumer_generation_id = 0
        self.loop = cluster.loop
        self.conf = SimpleNamespace(
            broker=[],
            broker_commit_every=10_000,
            ConsumerScheduler=DefaultSchedulingStrategy,
            broker_commit_interval=0.5,
            broker_commit_livelock_soft_timeout=300.0,
        )
        nothing: Callable[..., None] = lambda *_, **__: None  # noqa: E731
        self.sensors = SimpleNamespace(
            on_message_in=nothing, on_commit_initiated=nothing, on_commit_completed=nothing
        )
        self.tables = SimpleNamespace(on_commit=nothing)
        self.monitor = SimpleNamespace(on_tp_commit=nothing)
        self.topics = SimpleNamespace(acks_enabled_for=lambda _: True)
        self.agents = SimpleNamespace(human_tracebacks=str)
        self.producer = SimpleNamespace(flush=self._no_flush)
        self._attachments = SimpleNamespace(publish_for_tp_offset=self._none_attached)
        self.on_partitions_assigned = SimpleNamespace(connect=self._connect)
        self.stopped = asyncio.Event()
        self.tasks: list[asyncio.Task[Any]] = []
        self._cluster, self._group, self._life = cluster, group, life
        self._queue: deque[Any] = deque()
        self._came = asyncio.Event()
        self._listener: Any = None
        self._receive: Any = None
        self.consumer: Any = None
        self._member = Member(life, revoked=self._revoked, assigned=self._assigned)

    def topic(self, *_: Any, **__: Any) -> None:
        """The group knows its topics."""

    def agent(self, _: Any, name: str) -> Callable[[Any], None]:
        """Take the function that receives events."""

        def take(receive: Any) -> None:
            self._receive = receive

        return take

    @property
    def transport(self) -> Any:
        """What `streams.batching.use_slices` made."""
        return self._transport

    @transport.setter
    def transport(self, made: Any) -> None:
        fetcher = Fetcher(self._cluster, self._group)
        fetcher.member = self._member
        kind = type("SimulatedConsumer", (Simulated, made.Consumer), {"fetcher": fetcher})
        made.create_transaction_manager = lambda **_: None
        self._transport = made
        self.consumer = kind(
            made, self._deliver, self._no_flush, self._no_flush, loop=self._cluster.loop
        )

    def start(self) -> None:
        """Begin to fetch, to deliver and to commit, and join the group."""
        self.consumer.stop_flow()
        fetching = SimpleNamespace(_stopped=asyncio.Event())
        self.tasks = [
            asyncio.create_task(self.consumer._drain_messages(fetching)),
            asyncio.create_task(self._receive(_Stream(self))),
            asyncio.create_task(self._commits()),
        ]
        self._group.join(self._member)

    async def stop(self) -> None:
        """Finish what was delivered, commit, leave."""
        self.should_stop = True
        self.consumer.stop_flow()
        self._queue.clear()
        await self.consumer.wait_empty()
        self.leave()

    def leave(self) -> None:
        """Go from the group."""
        self._group.leave(self._member)

    def expire(self) -> None:
        """Be silent until the group goes on without us."""
        self._group.expire(self._member)

    async def _deliver(self, message: Any) -> None:
        self.consumer.track_message(message)
        self._queue.append(Event(self.consumer, message))
        self._came.set()

    async def _revoked(self) -> None:
        self.rebalancing = True
        consumer = self.consumer
        for tp in sorted(consumer.assignment()):
            for kept in (consumer._acked, consumer._read_offset, consumer._committed_offset):
                kept.pop(tp, None)
        consumer.stop_flow()
        consumer.pause_partitions(consumer.assignment())
        self._queue.clear()
        await consumer.wait_empty()

    async def _assigned(self, places: Sequence[Place], generation: int) -> None:
        self.consumer_generation_id = generation
        consumer = self.consumer
        consumer._thread.assign(places)
        tps = {TP(*place) for place in places}
        consumer._paused_partitions.intersection_update(tps)
        consumer._set_active_tps(tps)
        consumer.pause_partitions(tps)
        await self._listener(tps)
        if generation != self._group.generation:
            return
        consumer.resume_partitions(tps)
        try:
            await consumer.perform_seek()
        except IllegalStateError:
            return  # the next rebalance has begun
        consumer.resume_flow()
        self.rebalancing = False

    async def _commits(self) -> None:
        while True:
            await asyncio.sleep(self.conf.broker_commit_interval)
            await self.consumer.commit()

    def _connect(self, listener: Any) -> None:
        self._listener = listener

    async def _no_flush(self, *_: Any) -> None:
        """Faust's own producer is not used."""

    async def _none_attached(self, *_: Any) -> list[Any]:
        return []


class _Stream:
    """What an agent iterates over."""

    def __init__(self, app: App) -> None:
        self._app = app

    def noack(self) -> _Stream:
        """Acknowledged by hand."""
        return self

    async def events(self) -> AsyncIterator[Event]:
        """One event for each message."""
        queue, came = self._app._queue, self._app._came
        while True:
            while queue:
                yield queue.popleft()
            came.clear()
            await came.wait()


def _fetched(record: Any) -> FetchedRecord:
    return FetchedRecord(
        record.topic,
        record.partition,
        record.offset,
        record.timestamp_ms,
        0,
        record.key,
        record.value,
        None,
        0,
        0,
        tuple(record.headers),
    )
