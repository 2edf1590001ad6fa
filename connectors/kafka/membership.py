"""A member of a consumer group: it gets its share of partitions and says itself what is done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from os import getpid
from socket import gethostname
from typing import Any

import structlog
from confluent_kafka import Consumer, KafkaError, Message, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from connectors.kafka.connection import TRANSIENT, our_errors, ours
from connectors.kafka.offsets import listed_once
from hadron.errors import HadronError

Partition = tuple[str, int]

# What a group meets while brokers, topics and members come and go; the client tries again itself.
_PASSING = TRANSIENT | {
    KafkaError.ILLEGAL_GENERATION,
    KafkaError.UNKNOWN_MEMBER_ID,
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError._FAIL,
    KafkaError._MAX_POLL_EXCEEDED,
    KafkaError._NO_OFFSET,
    KafkaError._PARTITION_EOF,
}

log = structlog.get_logger()


def member(connection: Mapping[str, Any], group: str, **more: Any) -> Consumer:
    """A consumer that commits nothing by itself and holds some 20 MiB of fetched records.

    Partitions of one number go to one member, whatever their topics.
    """
    return Consumer(
        {
            "group.id": group,
            "client.id": client_id(),
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "auto.offset.reset": "error",
            "partition.assignment.strategy": "range",
            "session.timeout.ms": 10_000,
            "heartbeat.interval.ms": 3_000,
            # While it catches up it holds so many messages, and what one fetch of each partition
            # brings, which is unpacked at once. Where it has enough, it looks again soon, not after
            # a second, so that little held does not mean slow.
            "queued.min.messages": 20_000,
            "fetch.message.max.bytes": 131_072,
            "fetch.queue.backoff.ms": 5,
            "queued.max.messages.kbytes": 16_384,
            "topic.metadata.refresh.interval.ms": 10_000,
            "on_commit": _on_commit,
            **connection,
            **more,
        }
    )


def client_id() -> str:
    """What this process is called where members of groups are shown: by `hadron status`."""
    return f"{gethostname()}-{getpid()}"


def unhurried(patience_s: float) -> dict[str, int]:
    """Settings of a member that lets a record wait for so long before it is done with it.

    A fetch for each record would cost the others their time; a fifth of the wait is for fetching.
    """
    wait_ms = min(200, max(1, int(patience_s * 200)))
    return {"fetch.min.bytes": 32_768, "fetch.wait.max.ms": wait_ms}


def session(session_s: float) -> dict[str, int]:
    """Settings of a member whose partitions move after so many seconds of silence."""
    milliseconds = int(session_s * 1000)
    return {"session.timeout.ms": milliseconds, "heartbeat.interval.ms": milliseconds // 3}


def taken(consumer: Consumer, *, most: int, patience_s: float) -> list[Message]:
    """What waits, at most `most`; if nothing does, the first message of the next `patience_s`.

    Raise HadronError if records were deleted before they were read.
    """
    # With a timeout `consume` waits until it has `most`; only `poll` returns at the first message.
    with our_errors("reading from the group's partitions"):
        messages: list[Message] = consumer.consume(most, 0)
        if not messages and patience_s > 0:
            first = consumer.poll(patience_s)
            messages = [first] if first is not None else []
    return [message for message in messages if message.error() is None or _passing(message)]


def starts(connection: Mapping[str, Any], places: Iterable[Partition]) -> dict[Partition, int]:
    """The first offset that Kafka still has of each partition. One request."""
    # Not from the consumer: asked from another thread, it may wait for ever. The client needs a
    # name, or it is gone before it has answered.
    admin = AdminClient(dict(connection))
    doing = "asking where partitions start"
    return listed_once(admin, places, OffsetSpec.earliest(), doing, request_timeout=10)


def lag(consumer: Consumer, positions: Mapping[Partition, int]) -> dict[str, int]:
    """Records between the positions and the ends as far as they are known here, by topic."""
    found: dict[str, int] = {}
    for (topic, partition), position in positions.items():
        _, end = consumer.get_watermark_offsets(TopicPartition(topic, partition), cached=True)
        found[topic] = found.get(topic, 0) + max(0, end - position)
    return found


def commit(consumer: Consumer, offsets: Mapping[Partition, int]) -> None:
    """Commit next offsets without waiting; one that fails will be followed by another."""
    if offsets:
        places = [TopicPartition(*place, offset) for place, offset in offsets.items()]
        with our_errors("committing offsets"):
            consumer.commit(offsets=places, asynchronous=True)


def commit_and_wait(consumer: Consumer, offsets: Mapping[Partition, int]) -> None:
    """Commit next offsets before partitions are given away; one that fails is logged."""
    if not offsets:
        return
    places = [TopicPartition(*place, offset) for place, offset in offsets.items()]
    try:
        with our_errors("committing offsets"):
            consumer.commit(offsets=places, asynchronous=False)
    except HadronError as error:
        log.info("kafka.commit_failed", error=str(error))  # they will be read again


def _passing(message: Message) -> bool:
    """False for what passes with time, so that it is left out; raise for all else."""
    error = message.error()
    if error.code() == KafkaError._AUTO_OFFSET_RESET:
        place = f"{message.topic()}/{message.partition()}"
        raise HadronError(f"records of {place} were deleted before they were read: {error.str()}")
    if error.code() not in _PASSING or error.fatal():
        raise ours(error, "reading from the group's partitions")
    log.info("kafka.passing", topic=message.topic(), error=error.str())
    return False


def _on_commit(error: KafkaError | None, _: list[TopicPartition]) -> None:
    if error is not None and error.code() != KafkaError._NO_OFFSET:
        log.info("kafka.commit_failed", error=error.str())
