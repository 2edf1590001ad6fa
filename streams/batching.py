"""Faust with one event per fetch: the slices of its partitions, lanes in order.

Stock Faust hands an agent one record at a time, and starts two tasks for each. Here its cost, and
that of waking up, is per fetch. A fetch is acknowledged as a whole.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from aiokafka.consumer import fetcher
from faust.transport.drivers.aiokafka import (
    AIOKafkaConsumerThread,
    Consumer,
    Transport,
)
from faust.types.tuples import TP, ConsumerMessage
from mode.utils.futures import maybe_async, notify

HELD_BACK_S = 0.005
FETCH_S = 0.003
LONGEST_FETCH_MS = 50
SHORTEST_FETCH_MS = 3  # where records of a first topic were left out, for they waited here
FIRST = 1  # the rank of FAST, the highest of what nothing else may hold up
FLOWS_S = 1.0  # so long after its last record FAST flows


class FetchedRecord(msgspec.Struct, gc=False):
    """What aiokafka makes of each record; its own frozen dataclass costs 0.7 us more."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    timestamp_type: int
    key: bytes | None
    value: bytes | None
    checksum: int | None
    serialized_key_size: int
    serialized_value_size: int
    headers: tuple[tuple[str, bytes], ...]


class Fetch(msgspec.Struct):
    """The slices of one fetch, and what is to be acknowledged when all of them are done."""

    slices: Sequence[tuple[TP, Sequence[Any]]]  # let go of when they are received
    last: Sequence[tuple[TP, int]]  # the last offset of each
    open: int
    event: Any = None  # Faust's

    def received(self, event: Any) -> Sequence[tuple[TP, Sequence[Any]]]:
        """Take the slices, of which each is to be `done`."""
        slices, self.slices, self.event = self.slices, (), event
        return slices

    def done(self) -> None:
        """One more slice needs not be delivered again."""
        self.open -= 1
        if self.open == 0:
            self.event.ack()
            self.event = None  # which knows us: not to wait for the garbage collector


class SliceThread(AIOKafkaConsumerThread):  # type: ignore[misc]
    """Faust's consumer thread, without the thread, whose fetches leave no partition out for long.

    Stepping and fetching share one interpreter: two threads only wait for each other's turn with
    it, and each fetch pays for calls between them. All that fetching needs of the loop is that
    turns are short.

    aiokafka has one fetch under way to a broker. While records of one partition wait to be taken it
    first holds the next fetch back (0.1 s), then sends it without that partition, to be answered
    when others have data: after 1.5 s, as Faust sets it. A busy partition beside quiet ones, or a
    FAST one beside a COLD that is held back, would wait that long.
    """

    async def start(self) -> None:
        """Serve on the loop of the caller."""
        self._thread_started.set()
        self._thread_running = asyncio.get_running_loop().create_future()
        self._serving = asyncio.create_task(self._serve())
        await self._thread_running

    async def call_thread(self, fun: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call it here."""
        return await maybe_async(fun(*args, **kwargs))

    async def _gather_remaining_tasks(self) -> None:
        """The other tasks of the loop are not ours."""

    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = LONGEST_FETCH_MS
        return consumer

    async def on_start(self) -> None:
        await super().on_start()
        fetcher = self._consumer._fetcher
        fetcher._prefetch_backoff = HELD_BACK_S
        fetcher._proc_fetch_request = self._fetching(fetcher._proc_fetch_request)

    def _fetching(self, fetch: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        """The same fetch at our pace; what it brought is taken topics of lower rank first."""
        records, rank_of = self._consumer._fetcher._records, self.consumer.rank_of
        due = 0.0

        async def fetching(assignment: Any, node: Any, request: Any) -> Any:
            nonlocal due
            now = time.monotonic()
            if now < due:
                await asyncio.sleep(due - now)
            due = max(now, due) + FETCH_S
            first = sum(rank_of(tp) <= FIRST for tp in assignment.tps)
            if first > sum(rank_of(tp) <= FIRST for tp in _asked(request)):
                request._max_wait_ms = SHORTEST_FETCH_MS
            brought = await fetch(assignment, node, request)
            for tp in sorted(records, key=rank_of):
                records.move_to_end(tp)
            return brought

        return fetching


def _asked(request: Any) -> Iterator[TP]:
    return (TP(topic, place[0]) for topic, places in request.topics for place in places)


class SliceConsumer(Consumer):  # type: ignore[misc]
    """Wraps a fetch in one message and commits by the last slice that was acknowledged.

    Slices of a partition are acknowledged in order, each with all before it, so the offset to
    commit is the one after the highest: Faust's bookkeeping of every offset, which cannot follow a
    first slice that ends at offset 0, is not needed.
    """

    rank: Mapping[str, int] = {}

    _fast_until = 0.0
    under_way = False  # a fetch, between being taken here and reaching the agent

    def rank_of(self, tp: Any) -> int:
        """0 for what has no lane."""
        return self.rank.get(tp.topic, 0)

    def brings(self) -> bool:
        """Whether first records are here, and want some rounds of the loop to reach the agent."""
        if self.under_way:
            return True
        fetched = self._thread._consumer._fetcher._records
        return any(
            self.rank_of(tp) <= FIRST and tp not in self._buffered_partitions for tp in fetched
        )

    def _new_consumer_thread(self) -> SliceThread:
        return SliceThread(self, loop=self.loop, thread_loop=self.loop, beacon=self.beacon)

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, ConsumerMessage]]:
        """One message for all that a fetch brought, in its order."""
        records, active = await self._wait_next_records(timeout)
        if records is None or self.should_stop:
            return
        if not self.flow_active:
            await self.perform_seek()
            return
        read, taken = self._read_offset, active | self._buffered_partitions
        slices = [
            (tp, found)
            for tp, found in records.items()
            if tp in taken and found[-1].offset >= (read[tp] or 0)
        ]
        if slices:
            last = [(tp, found[-1].offset) for tp, found in slices]
            read.update(last)
            if any(self.rank_of(tp) == FIRST for tp, _ in last):
                self._fast_until = time.monotonic() + FLOWS_S
            self.under_way = True
            yield slices[0][0], self._message(Fetch(slices, last, len(slices)))

    def _message(self, fetch: Fetch) -> ConsumerMessage:
        tp, records = fetch.slices[0]
        return ConsumerMessage(
            topic=tp.topic,
            partition=tp.partition,
            offset=records[-1].offset,
            timestamp=records[-1].timestamp / 1000.0,
            timestamp_type=records[-1].timestamp_type,
            headers=[],
            key=None,
            value=fetch,
            checksum=None,
            serialized_key_size=0,
            serialized_value_size=0,
            tp=tp,
            generation_id=self.app.consumer_generation_id,
        )

    def ack(self, message: ConsumerMessage) -> bool:
        """Take all slices of a fetch as done."""
        if message.acked:
            return False
        message.acked = True
        self._unacked_messages.discard(message)
        for tp, offset in message.value.last:
            self._acked[tp].append(offset)
        self._n_acked += 1
        notify(self._waiting_for_ack)
        return True

    def fast_flows(self) -> bool:
        """Whether records of the FAST lane came a moment ago."""
        return time.monotonic() < self._fast_until

    async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> Any:
        """Look again soon while partitions are held back: Faust would wait a second for others."""
        if self._buffered_partitions:
            if not active_partitions:
                await self.sleep(HELD_BACK_S)
                return {}
            timeout = min(timeout, HELD_BACK_S)
        return await super()._getmany(active_partitions, timeout)

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """The offsets inside a slice are no gap."""

    def _new_offset(self, tp: TP) -> int | None:
        acked = self._acked[tp]
        if not acked:
            return None
        highest = max(acked)
        acked.clear()
        return int(highest) + 1


def use_slices(app: Any, rank: Mapping[str, int]) -> None:
    """Make an app, before it starts, deliver fetches; topics of lower rank first."""
    consumer = type("RankedConsumer", (SliceConsumer,), {"rank": rank})
    transport = type("SliceTransport", (Transport,), {"Consumer": consumer})
    fetcher.ConsumerRecord = FetchedRecord
    app.transport = transport(app.conf.broker, app, loop=app.loop)
