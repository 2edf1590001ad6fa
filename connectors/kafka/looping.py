"""The log as it lies in Kafka, for who works on an event loop: one request for all that waits."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, KafkaTimeoutError, UnknownTopicOrPartitionError
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.default_records import DefaultRecordBatch
from tenacity import retry, retry_if_exception, wait_exponential

from connectors.kafka.connection import configuration, on_a_loop
from connectors.kafka.reading import KafkaReader
from hadron.errors import HadronError, TransientError
from hadron.settings import Settings

Key = str | bytes | None
# Which of a batch's records, who is told its offset, and who that it is stored.
Told = tuple[int, Callable[[int], None] | None, Callable[[], None] | None]

REQUEST_S = 30.0
BATCH_BYTES = 1_000_000
MANY = 16  # records of an append that begins a batch, from which it is compressed
RECORD_BYTES = 16_777_216  # of one record, at most, in a batch of its own
ASK_S = 0.1  # between questions for the leaders of partitions
# Of what is appended and not answered; beyond it, who appends has to wait.
MOST_RECORDS = 100_000
MOST_BYTES = 128 * 2**20


class KafkaLoopLog(KafkaReader):
    """A LoopLog on Kafka: one idempotent producer, to be used from one event loop.

    A broker has one request under way. What is appended meanwhile, to any partition of it, goes
    with the next (docs/decisions/0032).

    Records wait for a broker without end and are never given up out of order: when one is refused,
    none after it is stored, and every later call raises TransientError. Then only a new log helps.
    """

    def __init__(self, settings: Settings, *, request_s: float = REQUEST_S) -> None:
        """Connect, as soon as the loop that runs comes to it.

        After `request_s` a request is sent again, and a topic that the brokers do not know is
        taken for missing.
        """
        super().__init__(configuration(settings))
        self._loop = asyncio.get_running_loop()
        self._producer = AIOKafkaProducer(
            acks="all",
            enable_idempotence=True,
            max_batch_size=BATCH_BYTES,
            linger_ms=settings.linger_ms,
            request_timeout_ms=round(request_s * 1000),
            **on_a_loop(settings),
        )
        self._waiting = self._producer._message_accumulator
        # A partition without a leader would be given up after the timeout of a request.
        self._waiting._batch_ttl = math.inf
        self._request_s = request_s
        self._ways: dict[tuple[str, int], _Way] = {}
        self._refused: str | None = None
        self._records = 0
        self._bytes = 0
        self._answered_s = self._loop.time()
        self._news: asyncio.Future[None] | None = None
        self._connected = self._loop.create_future()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._ask_seldom()
        self._spawn(self._connect())

    @property
    def full(self) -> bool:
        """See LoopLog."""
        return self._records > MOST_RECORDS or self._bytes > MOST_BYTES

    def append(
        self,
        topic: str,
        partition: int,
        records: Sequence[tuple[Key, bytes | None]],
        *,
        timestamp_ms: int = 0,
        headers: Sequence[tuple[str, bytes]] | None = None,
        delivered: Callable[[], None] | None = None,
        placed: Callable[[int], None] | None = None,
    ) -> None:
        """See LoopLog. Raise HadronError for a record that no topic takes."""
        self._raise_refused()
        if not records:
            if delivered is not None:
                self._loop.call_soon(delivered)
            return
        place = (topic, partition)
        way = self._ways.get(place) or self._ways.setdefault(place, _Way(*place))
        if not self._records:
            self._answered_s = self._loop.time()
        many = len(records) >= MANY
        batch = self._open(way, many)
        add = batch.builder.append
        timestamp, extra = timestamp_ms or None, list(headers or ())
        for key, value in records:
            raw = key.encode() if type(key) is str else key
            if add(timestamp=timestamp, key=raw, value=value, headers=extra) is None:
                self._count(way, batch)
                batch = self._begun(way, many)
                add = batch.builder.append
                add(timestamp=timestamp, key=raw, value=value, headers=extra)
        if delivered is not None or placed is not None:
            batch.told.append((batch.builder.record_count() - 1, placed, delivered))
        self._count(way, batch)

    def poll(self) -> None:
        """See LoopLog. Reports come by themselves."""
        self._raise_refused()
        if self._records and self._loop.time() - self._answered_s > self._request_s:
            self._refuse_missing()

    async def wait(self, wait_s: float) -> None:
        """See LoopLog."""
        self.poll()
        if self._news is None or self._news.done():
            self._news = self._loop.create_future()
        await asyncio.wait([self._news], timeout=wait_s)
        self._raise_refused()

    async def drain(self, timeout_s: float = 30.0) -> None:
        """See LoopLog."""
        until_s = self._loop.time() + timeout_s
        while self._records:
            if self._loop.time() > until_s:
                raise TransientError(
                    f"{self._records} records are not on Kafka after {timeout_s:g} s"
                )
            await self.wait(min(timeout_s, 0.2))
        await asyncio.sleep(0)  # for those of appends of nothing
        self._raise_refused()

    async def close(self) -> None:
        """Disconnect. What is not stored yet is given up: drain first."""
        for task in self._tasks:
            task.cancel()
        if not self._records:
            await self._producer.stop()
            return
        self._send_no_more()
        self._producer._closed = True  # its own way would wait until all is stored
        await self._producer.client.close()

    def _ask_seldom(self) -> None:
        """While a partition has no leader, aiokafka asks for it as fast as it is answered.

        Whoever asks while a question waits gets the answer to that one: what is appended to all
        partitions of a topic at once is sent at once, also where the topic is not known yet.
        """
        client, due_s = self._producer.client, 0.0
        ask = client.force_metadata_update
        asking: asyncio.Task[Any] | None = None

        async def asked() -> Any:
            nonlocal due_s
            await asyncio.sleep(due_s - self._loop.time())
            due_s = self._loop.time() + ASK_S
            return await ask()

        def asked_once() -> asyncio.Future[Any]:
            nonlocal asking
            if asking is None or asking.done():
                asking = self._spawn(asked())
            return asyncio.shield(asking)

        client.force_metadata_update = asked_once

    def _spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    @retry(
        retry=retry_if_exception(lambda error: isinstance(error, KafkaError) and error.retriable),
        wait=wait_exponential(0.1, max=2),
    )
    async def _start(self) -> None:
        await self._producer.start()

    async def _connect(self) -> None:
        try:
            await self._start()
        except KafkaError as error:
            self._refuse(error, "connecting")
        else:
            self._connected.set_result(None)

    def _open(self, way: _Way, many: bool) -> _Batch:
        """The batch of a partition that takes more records."""
        last = way.last
        # Once the producer has taken it from those that wait, it has counted its records.
        waits = way.queue or way.place in self._waiting._batches
        if last is None or not waits or last.builder.closed():
            return self._begun(way, many)
        return last

    def _begun(self, way: _Way, many: bool) -> _Batch:
        # Who compresses a few small records makes them larger, and all that read them slower.
        codec = DefaultRecordBatch.CODEC_LZ4 if many else DefaultRecordBatch.CODEC_NONE
        batch = way.last = _Batch(BatchBuilder(BATCH_BYTES, codec))
        way.queue.append(batch)
        if not way.submitting:
            way.submitting = True
            self._spawn(self._submit(way))
        return batch

    def _count(self, way: _Way, batch: _Batch) -> None:
        """Know of what was added to a batch."""
        builder = batch.builder
        size, records = builder.size(), builder.record_count()
        self._bytes += size - batch.bytes
        self._records += records - batch.records
        batch.bytes, batch.records = size, records
        if size > RECORD_BYTES:
            said = f"MSG_SIZE_TOO_LARGE, {size} bytes, at most {RECORD_BYTES}"
            self._refuse(said, way.name)
            raise HadronError(f"appending to {way.name}: {said}")

    async def _submit(self, way: _Way) -> None:
        """Give the producer the batches of a partition, one after the other."""
        try:
            await self._connected
            while way.queue:
                try:
                    sent = await self._producer.send_batch(
                        way.queue[0].builder, way.topic, partition=way.partition
                    )
                except KafkaTimeoutError:  # one of the partition still waits before it
                    continue
                except UnknownTopicOrPartitionError:
                    if await self._producer.client.force_metadata_update():
                        raise
                    continue  # the brokers were not asked
                if self._refused is not None:
                    return
                given = self._waiting._batches[way.place][-1]
                given.failure = partial(self._failed, way, given.failure)
                sent.add_done_callback(partial(self._answered, way, way.queue.popleft()))
        except (KafkaError, AssertionError) as error:  # asserted: that there is such a partition
            self._refuse(error, way.name)
        finally:
            way.submitting = False

    def _failed(self, way: _Way, fail: Callable[[Exception], None], exception: Exception) -> None:
        # Not when `sent` is done: the sender may wake before that, and send what came after.
        self._refuse(exception, way.name)
        fail(exception)

    def _answered(self, way: _Way, batch: _Batch, sent: asyncio.Future[Any]) -> None:
        if sent.cancelled() or sent.exception() is not None or self._refused is not None:
            return
        if way.last is batch:
            way.last = None
        first = sent.result().offset
        if first < 0:
            self._refuse("it was stored before, and Kafka does not know where", way.name)
            return
        self._records -= batch.records
        self._bytes -= batch.bytes
        self._answered_s = self._loop.time()
        for index, placed, delivered in batch.told:
            if placed is not None:
                placed(first + index)
            if delivered is not None:
                delivered()
        self._tell()

    def _refuse_missing(self) -> None:
        """A topic that was deleted has no broker that would refuse its records."""
        self._answered_s = self._loop.time()
        cluster = self._producer.client.cluster
        for way in self._ways.values():
            waits = way.place in self._waiting._batches
            if waits and way.partition not in (cluster.partitions_for_topic(way.topic) or ()):
                self._refuse(UnknownTopicOrPartitionError(), way.name)

    def _refuse(self, error: BaseException | str, where: str) -> None:
        if self._refused is None:
            said = error if isinstance(error, str) else f"{type(error).__name__}, {error}"
            self._refused = f"a record of {where} was refused: {said}"
        self._send_no_more()
        self._tell()

    def _send_no_more(self) -> None:
        for way in self._ways.values():
            way.queue.clear()
        sending = self._producer._sender.sender_task
        if sending is not None:
            sending.cancel()

    def _raise_refused(self) -> None:
        if self._refused is not None:
            raise TransientError(f"the log is to be opened anew, {self._refused}")

    def _tell(self) -> None:
        if self._news is not None and not self._news.done():
            self._news.set_result(None)


class _Batch:
    """Records of one partition, and who is told, with which of them, that they are stored."""

    __slots__ = ("builder", "bytes", "records", "told")

    def __init__(self, builder: Any) -> None:
        self.builder = builder
        self.bytes = 0
        self.records = 0
        self.told: list[Told] = []


class _Way:
    """To one partition: the batches that the producer has not been given yet, and the newest."""

    __slots__ = ("last", "partition", "place", "queue", "submitting", "topic")

    def __init__(self, topic: str, partition: int) -> None:
        self.topic = topic
        self.partition = partition
        self.place = (topic, partition)
        self.queue: deque[_Batch] = deque()
        self.last: _Batch | None = None
        self.submitting = False

    @property
    def name(self) -> str:
        """As errors call it."""
        return f"{self.topic}/{self.partition}"
