"""The log as it lies in Kafka, written by one idempotent producer."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer
from confluent_kafka.admin import AdminClient, OffsetSpec

from connectors.kafka.connection import our_errors
from connectors.kafka.offsets import listed
from connectors.kafka.reading import records
from hadron.errors import TransientError
from hadron.ports import Record

Key = str | bytes | None


class KafkaLog:
    """A FactLog on Kafka. One for a process; all its threads may share it.

    Records wait for a broker without end and are never given up out of order: when one is refused,
    none after it is stored, and every later call raises TransientError. Then only a new log helps.
    """

    def __init__(self, connection: Mapping[str, Any], *, linger_ms: float = 1.0) -> None:
        """Connect on first use. `connection` comes from `connection.configuration`."""
        self._connection = dict(connection)
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
        self._admin = AdminClient(dict(connection))
        self._refused: str | None = None
        self._empty: list[Callable[[], None]] = []

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
        """See FactLog. `delivered` of an earlier append may be called meanwhile."""
        self._raise_refused()
        if not records:
            if delivered is not None:
                self._empty.append(delivered)
            return
        # The last record reports for all: it is stored after them, and a failure before it is a
        # gap, which is fatal and raised by the next poll.
        wanted = delivered is not None or placed is not None
        last = _Report(delivered, placed, self._reported) if wanted else self._reported
        last_place = len(records) - 1
        extra = (list(headers),) if headers else ()
        produce = self._producer.produce
        with our_errors(f"appending to {topic}/{partition}"):
            for place, (key, value) in enumerate(records):
                report = last if place == last_place else None
                while True:
                    try:
                        produce(topic, value, key, partition, report, report, timestamp_ms, *extra)
                        break
                    except BufferError:
                        self._serve(self._producer.poll, 0.1)
                    except KafkaException as error:
                        self._refuse(error.args[0], f" of {topic}/{partition}")
                        raise

    def poll(self, wait_s: float = 0.0) -> None:
        """See FactLog."""
        self._serve(self._producer.poll, wait_s)
        self._call_empty()

    def flush(self, timeout_s: float = 30.0) -> None:
        """See FactLog."""
        deadline = time.monotonic() + timeout_s
        # In short turns: after a fatal error it would wait in vain.
        while left := self._serve(self._producer.flush, min(timeout_s, 0.2)):
            if time.monotonic() > deadline:
                raise TransientError(f"{left} records are not on Kafka after {timeout_s:g} s")
        self._call_empty()

    def close(self) -> None:
        """Disconnect. What is not stored yet is given up: flush first."""
        self._producer.purge()
        with suppress(TransientError):
            self._serve(lambda _: self._producer.close(), 0)

    def ends(self, partitions: Iterable[tuple[str, int]]) -> dict[tuple[str, int], int]:
        """See FactLog. One request; TransientError if it fails for ten seconds."""
        return self._offsets(list(partitions), OffsetSpec.latest())

    def starts(self, partitions: Iterable[tuple[str, int]]) -> dict[tuple[str, int], int]:
        """See FactLog. One request; TransientError if it fails for ten seconds."""
        return self._offsets(list(partitions), OffsetSpec.earliest())

    def read(self, topic: str, partition: int, *, start: int, end: int) -> Iterator[Record]:
        """See FactLog. Raise HadronError if records from `start` on have been deleted."""
        return records(self._connection, topic, partition, start=start, end=end)

    def _offsets(
        self, places: Sequence[tuple[str, int]], spec: OffsetSpec
    ) -> dict[tuple[str, int], int]:
        return listed(self._admin, places, spec, f"asking for offsets of {places}")

    def _serve(self, serve: Callable[[float], int], timeout_s: float) -> int:
        try:
            result = serve(timeout_s)
        except KafkaException as error:  # fatal ones are raised from here
            self._refuse(error.args[0])
        except SystemError as error:  # the same, where callbacks were still called after it
            if not isinstance(error.__cause__, KafkaException):
                raise
            self._refuse(error.__cause__.args[0])
        self._raise_refused()
        return result

    def _reported(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self._refuse(error, f" of {message.topic()}/{message.partition()}")

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


class _Report:
    """Takes the delivery report of the last record of one append."""

    __slots__ = ("_delivered", "_failed", "_placed")

    def __init__(
        self,
        delivered: Callable[[], None] | None,
        placed: Callable[[int], None] | None,
        failed: Callable[[KafkaError, Message], None],
    ) -> None:
        self._delivered = delivered
        self._placed = placed
        self._failed = failed

    def __call__(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self._failed(error, message)
            return
        if self._placed is not None:
            self._placed(message.offset() or 0)
        if self._delivered is not None:
            self._delivered()
