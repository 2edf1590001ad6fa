"""Faust with one event per fetch: the slices of its partitions, lanes in order.

Stock Faust hands an agent one record at a time, and starts two tasks for each. Here its cost, and
that of waking up, is per fetch. A fetch is acknowledged as a whole.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import msgspec
from aiokafka.consumer import fetcher
from faust.transport.drivers.aiokafka import Consumer, Transport
from faust.types.tuples import TP, ConsumerMessage
from mode.utils.futures import notify

from streams.fetching import HELD_BACK_S, FetchedRecord, SliceThread
from streams.ranks import FAST, OTHER

FLOWS_S = 1.0  # so long after its last record FAST flows


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


class SliceConsumer(Consumer):  # type: ignore[misc]
    """Wraps a fetch in one message and commits by the last slice that was acknowledged.

    Slices of a partition are acknowledged in order, each with all before it, so the offset to
    commit is the one after the highest: Faust's bookkeeping of every offset, which cannot follow a
    first slice that ends at offset 0, is not needed.
    """

    rank: Mapping[str, int] = {}
    pause_s = 0.0  # between fetches

    _fast_until = 0.0
    under_way = False  # a fetch, between being taken here and reaching the agent

    def rank_of(self, tp: Any) -> int:
        """The rank of a partition's topic."""
        return self.rank.get(tp.topic, OTHER)

    def brings(self) -> bool:
        """Whether first records are here, and want some rounds of the loop to reach the agent."""
        if self.under_way:
            return True
        fetched = self._thread._consumer._fetcher._records
        return any(
            self.rank_of(tp) <= FAST and tp not in self._buffered_partitions for tp in fetched
        )

    def _new_consumer_thread(self) -> SliceThread:
        return SliceThread(self, loop=self.loop, thread_loop=self.loop, beacon=self.beacon)

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, ConsumerMessage]]:
        """One message for all that a fetch brought, in its order."""
        records, active = await self._wait_next_records(timeout)
        if records is None or self.should_stop or not self.flow_active:
            return  # Faust seeks what is assigned next; what was assigned may be gone already
        read, taken = self._read_offset, active | self._buffered_partitions
        slices = [
            (tp, found)
            for tp, found in records.items()
            if tp in taken and found[-1].offset >= (read[tp] or 0)
        ]
        if slices:
            last = [(tp, found[-1].offset) for tp, found in slices]
            read.update(last)
            if any(self.rank_of(tp) == FAST for tp, _ in last):
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


def use_slices(app: Any, rank: Mapping[str, int], *, pause_s: float) -> None:
    """Make an app, before it starts, deliver fetches; topics of lower rank first."""
    consumer = type("RankedConsumer", (SliceConsumer,), {"rank": rank, "pause_s": pause_s})
    transport = type("SliceTransport", (Transport,), {"Consumer": consumer})
    fetcher.ConsumerRecord = FetchedRecord
    app.transport = transport(app.conf.broker, app, loop=app.loop)
