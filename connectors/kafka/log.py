"""The log as it lies in Kafka, written by one idempotent producer."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from threading import Lock
from typing import Any

import msgspec
from confluent_kafka import KafkaError, KafkaException, Message, Producer

from connectors.kafka.connection import our_errors
from connectors.kafka.reading import KafkaReader
from hadron.errors import TransientError

Key = str | bytes | None

# Records of a partition that may be unanswered when more of it are given to librdkafka, and those
# that may be held back until then (docs/decisions/0031).
UNANSWERED = 4
MOST_HELD = 100_000


class KafkaLog(KafkaReader):
    """A FactLog on Kafka. One for a process; all its threads may share it.

    Records wait for a broker without end and are never given up out of order: when one is refused,
    none after it is stored, and every later call raises TransientError. Then only a new log helps.
    """

    def __init__(self, connection: Mapping[str, Any], *, linger_ms: float = 1.0) -> None:
        """Connect on first use. `connection` comes from `connection.configuration`."""
        super().__init__(connection)
        self._producer = Producer(
            {
                "enable.idempotence": True,
                "acks": "all",
                # A failed batch stops the producer, rather than leave a gap.
                "enable.gapless.guarantee": True,
                # A record that timed out would be a gap, too.
                "message.timeout.ms": 0,
                # More would turn a thread of librdkafka round and round while a broker is slow to
                # answer, and take from it the core that it needs (docs/decisions/0031).
                "max.in.flight.requests.per.connection": 1,
                "message.max.bytes": 16_777_216,
                "compression.type": "lz4",
                "partitioner": "murmur2_random",
                "linger.ms": linger_ms,
                "queue.buffering.max.messages": 500_000,
                "queue.buffering.max.kbytes": 262_144,
                **connection,
            }
        )
        self._refused: str | None = None
        self._empty: list[Callable[[], None]] = []
        self._ways: dict[tuple[str, int], _Way] = {}
        self._held = 0
        self._answered: deque[tuple[_Way, _Append, int]] = deque()
        self._lock = Lock()

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
        """See FactLog. `delivered` of an earlier append may be called meanwhile.

        `records` are kept, not copied, until they are stored.
        """
        self._raise_refused()
        if not records:
            if delivered is not None:
                self._empty.append(delivered)
            return
        place = (topic, partition)
        way = self._ways.get(place) or self._ways.setdefault(place, _Way(*place))
        if way.unanswered > UNANSWERED:
            self._serve(self._producer.poll, 0)
        while self._held > MOST_HELD:
            self._serve(self._producer.poll, 0.1)
        with self._lock:
            self._held += len(records)
            way.held.append(_Append(records, timestamp_ms, headers, delivered, placed))
        self._send(way)

    def poll(self, wait_s: float = 0.0) -> None:
        """See FactLog."""
        self._serve(self._producer.poll, wait_s)
        self._call_empty()

    def flush(self, timeout_s: float = 30.0) -> None:
        """See FactLog."""
        deadline = time.monotonic() + timeout_s
        # In short turns: after a fatal error it would wait in vain.
        while left := self._flushed(min(timeout_s, 0.2)):
            if time.monotonic() > deadline:
                raise TransientError(f"{left} records are not on Kafka after {timeout_s:g} s")
        self._call_empty()

    def close(self) -> None:
        """Disconnect. What is not stored yet is given up: flush first."""
        for way in self._ways.values():
            way.held.clear()
        self._producer.purge()
        with suppress(TransientError):
            self._serve(lambda _: self._producer.close(), 0)

    def _send(self, way: _Way) -> None:
        """Give librdkafka what is held of a partition, unless too much of it is unanswered."""
        while True:
            with self._lock:
                # Who sends already, another thread or we further up, sends this, too, in its turn.
                if way.sending or not way.held or way.unanswered > UNANSWERED:
                    return
                appends, way.held = way.held, []
                count = sum(len(append.records) for append in appends)
                way.unanswered += count
                self._held -= count
                way.sending = True
            try:
                for append in appends:
                    self._produce(way, append)
            finally:
                way.sending = False

    def _produce(self, way: _Way, append: _Append) -> None:
        # The last record reports for all: it is stored after them, and a failure before it is a
        # gap, which is fatal and raised by the next poll.
        topic, partition, timestamp_ms = way.topic, way.partition, append.timestamp_ms
        last, report = len(append.records) - 1, partial(self._reported, way, append)
        extra = (list(append.headers),) if append.headers else ()
        produce = self._producer.produce
        with our_errors(f"appending to {topic}/{partition}"):
            for place, (key, value) in enumerate(append.records):
                told = report if place == last else None
                while True:
                    try:
                        produce(topic, value, key, partition, told, told, timestamp_ms, *extra)
                        break
                    except BufferError:
                        self._serve(self._producer.poll, 0.1)
                    except KafkaException as error:
                        self._refuse(error.args[0], f" of {topic}/{partition}")
                        raise

    def _flushed(self, timeout_s: float) -> int:
        """Flush for so long; how many records are not stored yet."""
        self._serve(self._producer.flush, timeout_s)
        # In this order: another thread may be sending what it held.
        waiting = self._held + sum(way.sending for way in list(self._ways.values()))
        return waiting + len(self._producer)

    def _serve(self, serve: Callable[[float], object], timeout_s: float) -> None:
        try:
            serve(timeout_s)
        except KafkaException as error:  # fatal ones are raised from here
            self._refuse(error.args[0])
        except SystemError as error:  # the same, where callbacks were still called after it
            if not isinstance(error.__cause__, KafkaException):
                raise
            self._refuse(error.__cause__.args[0])
        self._tell()
        self._raise_refused()

    def _reported(
        self, way: _Way, append: _Append, error: KafkaError | None, message: Message
    ) -> None:
        # Within the client, which cannot be called from here.
        if error is not None:
            self._refuse(error, f" of {way.topic}/{way.partition}")
        else:
            self._answered.append((way, append, message.offset() or 0))

    def _tell(self) -> None:
        """Say of appends that they are stored; send what waited for that."""
        while True:
            try:
                way, append, offset = self._answered.popleft()
            except IndexError:  # all is told, by us or another thread
                return
            with self._lock:
                way.unanswered -= len(append.records)
            self._send(way)
            if append.placed is not None:
                append.placed(offset)
            if append.delivered is not None:
                append.delivered()

    def _refuse(self, error: KafkaError, where: str = "") -> None:
        if self._refused is None:
            self._refused = f"a record{where} was refused: {error.name()}, {error.str()}"

    def _raise_refused(self) -> None:
        if self._refused is not None:
            raise TransientError(f"the log is to be opened anew, {self._refused}")

    def _call_empty(self) -> None:
        waiting, self._empty = self._empty, []
        for delivered in waiting:
            delivered()


class _Append(msgspec.Struct, frozen=True):
    """Records that are stored together, and who is told of it."""

    records: Sequence[tuple[Key, bytes | None]]
    timestamp_ms: int
    headers: Sequence[tuple[str, bytes]] | None
    delivered: Callable[[], None] | None
    placed: Callable[[int], None] | None


class _Way:
    """To one partition: how many records are unanswered, and what waits for the answer."""

    __slots__ = ("held", "partition", "sending", "topic", "unanswered")

    def __init__(self, topic: str, partition: int) -> None:
        self.topic = topic
        self.partition = partition
        self.unanswered = 0
        self.held: list[_Append] = []
        self.sending = False
