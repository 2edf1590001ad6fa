"""The log for those who only read it: closed ranges of a partition, without a group."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from confluent_kafka import Consumer, KafkaError, Message, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from connectors.kafka.connection import our_errors, ours
from connectors.kafka.offsets import listed
from hadron.errors import HadronError, TransientError
from hadron.ports import Record

_AT_ONCE = 2000
_PATIENCE_S = 30.0


class KafkaReader:
    """A Reading that opens a consumer for each range."""

    def __init__(self, connection: Mapping[str, Any]) -> None:
        """Connect on first use. `connection` comes from `connection.configuration`."""
        self._connection = dict(connection)
        self._admin = AdminClient(dict(connection))

    def ends(self, partitions: Iterable[tuple[str, int]]) -> dict[tuple[str, int], int]:
        """See Reading. One request; TransientError if it fails for ten seconds."""
        return self._offsets(list(partitions), OffsetSpec.latest())

    def starts(self, partitions: Iterable[tuple[str, int]]) -> dict[tuple[str, int], int]:
        """See Reading. One request; TransientError if it fails for ten seconds."""
        return self._offsets(list(partitions), OffsetSpec.earliest())

    def read(self, topic: str, partition: int, *, start: int, end: int) -> Iterator[Record]:
        """See Reading. Raise HadronError if records from `start` on have been deleted."""
        return records(self._connection, topic, partition, start=start, end=end)

    def _offsets(
        self, places: Sequence[tuple[str, int]], spec: OffsetSpec
    ) -> dict[tuple[str, int], int]:
        return listed(self._admin, places, spec, f"asking for offsets of {places}")


def records(
    connection: Mapping[str, Any], topic: str, partition: int, *, start: int, end: int
) -> Iterator[Record]:
    """The records of [start, end) that are still there; gaps, also one at the end, are passed over.

    Raise HadronError if `start` lies before the first offset kept, TransientError if Kafka does not
    answer or has less than `end`.
    """
    # `ends` counts them, too; our own producers do not use transactions.
    isolation = {"isolation.level": "read_uncommitted"}
    for messages in slices({**connection, **isolation}, topic, partition, start=start, end=end):
        for message in messages:
            # Not by `record_of`: what is the same for all is not asked of each.
            headers = message.headers()
            yield Record(
                topic,
                partition,
                message.offset(),
                message.timestamp()[1],
                message.key(),
                message.value(),
                tuple(headers) if headers else (),
            )


def slices(
    connection: Mapping[str, Any], topic: str, partition: int, *, start: int, end: int
) -> Iterator[list[Message]]:
    """What `records` gives, as it was fetched: many at a time, and only what was committed."""
    if start >= end:
        return
    doing = f"reading {topic}/{partition} from {start} to {end}"
    consumer = without_group({"auto.offset.reset": "error", **connection})
    try:
        with our_errors(doing):
            consumer.assign([TopicPartition(topic, partition, start)])
            yield from until(consumer, start, end, doing)
    finally:
        consumer.close()


def without_group(connection: Mapping[str, Any]) -> Consumer:
    """A consumer that reads what it assigns to itself, and is told where partitions end."""
    return Consumer(
        {
            "group.id": "unused",  # the client insists; without subscribing nobody joins it
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            # Short reads are many: the defaults cost each of them about a quarter of a second.
            "topic.metadata.refresh.fast.interval.ms": 10,
            "fetch.wait.max.ms": 10,
            **connection,
        }
    )


def until(consumer: Consumer, start: int, end: int, doing: str) -> Iterator[list[Message]]:
    """What `slices` gives, by a consumer that was assigned one partition, from `start` on."""
    expected, deadline = start, time.monotonic() + _PATIENCE_S
    while expected < end:
        # Exactly as many as are left, or the call waits for ones that we do not want.
        messages = consumer.consume(min(_AT_ONCE, end - expected), 0.1)
        found = [message for message in messages if message.error() is None]
        if len(found) < len(messages):  # seldom
            errors = (message for message in messages if message.error() is not None)
            expected = max(expected, *(_end_told(error, doing) for error in errors))
        if found:
            expected = max(expected, found[-1].offset() + 1)
        if expected > end:
            found = [message for message in found if message.offset() < end]
        if found:
            yield found
        if messages:
            deadline = time.monotonic() + _PATIENCE_S
        elif time.monotonic() > deadline:
            raise TransientError(f"{doing}: nothing at {expected} in {_PATIENCE_S:g} s")


def _end_told(message: Message, doing: str) -> int:
    """The offset at which Kafka says that the partition ends. Raise what else it says."""
    error = message.error()
    assert error is not None
    if error.code() != KafkaError._PARTITION_EOF:
        raise _failure(error, doing)
    # Past the gap; but a new leader may for a moment have less than we were told.
    end: int = message.offset()
    return end


def _failure(error: KafkaError, doing: str) -> HadronError:
    if error.code() == KafkaError._AUTO_OFFSET_RESET:
        return HadronError(f"{doing}: the first records were deleted: {error.str()}")
    return ours(error, doing)


def record_of(message: Message) -> Record:
    """A message of confluent-kafka as ours."""
    return Record(
        message.topic(),
        message.partition(),
        message.offset(),
        message.timestamp()[1],
        message.key(),
        message.value(),
        tuple(message.headers() or ()),
    )
