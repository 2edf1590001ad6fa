"""Faust with one event per fetched slice of a partition, lanes in order.

Stock Faust hands an agent one record at a time. Its scheduler hook sees each whole fetch instead;
we yield each partition's records as one event, so that Faust's cost is per slice. The message of a
slice carries its last offset, and is acknowledged as a whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from aiokafka.consumer import fetcher
from faust.transport.drivers.aiokafka import (
    AIOKafkaConsumerThread,
    Consumer,
    Transport,
)
from faust.transport.utils import DefaultSchedulingStrategy
from faust.types.tuples import TP, ConsumerMessage

HELD_BACK_S = 0.005
LONGEST_FETCH_MS = 50


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


class Fetched(list[Any]):
    """The records of one partition in one fetch, in order."""


class LaneScheduler(DefaultSchedulingStrategy):  # type: ignore[misc]
    """Yields each partition's records as one slice; topics of lower rank first."""

    rank: Mapping[str, int] = {}

    def iterate(self, records: Mapping[Any, list[Any]]) -> Iterator[tuple[Any, Any]]:
        rank = self.rank
        order = sorted(records, key=lambda tp: (rank.get(tp.topic, 0), tp.partition))
        for tp in order:
            yield tp, Fetched(records[tp])


class SliceThread(AIOKafkaConsumerThread):  # type: ignore[misc]
    """Faust's consumer thread, whose fetches leave out a partition for moments only.

    aiokafka has one fetch under way to a broker. While records of one partition wait to be taken it
    first holds the next fetch back (0.1 s), then sends it without that partition, to be answered
    when others have data: after 1.5 s, as Faust sets it. A busy partition beside quiet ones, or a
    FAST one beside a COLD that is held back, would wait that long.
    """

    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = LONGEST_FETCH_MS
        return consumer

    async def on_start(self) -> None:
        await super().on_start()
        self._consumer._fetcher._prefetch_backoff = HELD_BACK_S


class SliceConsumer(Consumer):  # type: ignore[misc]
    """Wraps a slice in one message and commits by the last slice that was acknowledged.

    Slices of a partition are acknowledged in order, each with all before it, so the offset to
    commit is the one after the highest: Faust's bookkeeping of every offset, which cannot follow a
    first slice that ends at offset 0, is not needed.
    """

    def _new_consumer_thread(self) -> SliceThread:
        return SliceThread(self, loop=self.loop, beacon=self.beacon)

    def _to_message(self, tp: TP, record: Any) -> ConsumerMessage:
        last = record[-1]
        return ConsumerMessage(
            topic=tp.topic,
            partition=tp.partition,
            offset=last.offset,
            timestamp=last.timestamp / 1000.0,
            timestamp_type=last.timestamp_type,
            headers=[],
            key=None,
            value=record,
            checksum=None,
            serialized_key_size=0,
            serialized_value_size=0,
            tp=tp,
            generation_id=self.app.consumer_generation_id,
        )

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
        self._acked_index[tp].clear()
        return int(highest) + 1


class SliceTransport(Transport):  # type: ignore[misc]
    """Faust's aiokafka transport with our consumer."""

    Consumer = SliceConsumer


def use_slices(app: Any, rank: Mapping[str, int]) -> None:
    """Make an app, before it starts, deliver slices; topics of lower rank first."""
    app.conf.ConsumerScheduler = type("RankedLanes", (LaneScheduler,), {"rank": rank})
    fetcher.ConsumerRecord = FetchedRecord
    app.transport = SliceTransport(app.conf.broker, app, loop=app.loop)
