"""Reads many partitions from a time on, without a group, the newest records first."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from confluent_kafka import Consumer, KafkaError, Message, TopicPartition
from confluent_kafka.admin import AdminClient

from connectors.kafka import inspection
from connectors.kafka.connection import our_errors, ours
from connectors.kafka.reading import without_group
from hadron.errors import TransientError

Place = tuple[str, int]
Range = tuple[int, int]  # first offset, and the one after the last

_AT_ONCE = 5_000
_PATIENCE_S = 30.0


def since(admin: AdminClient, ends: Mapping[Place, int], time_ms: int) -> dict[Place, Range]:
    """From the first record stamped at or after a time up to `ends`, where there are any."""
    begins = inspection.stamped_after(admin, list(ends), time_ms)
    return {place: (first, ends[place]) for place, first in begins.items() if first < ends[place]}


def newest_first(
    ranges: Mapping[Place, Range], *, near: int
) -> tuple[dict[Place, Range], dict[Place, Range]]:
    """The last `near` records of all partitions together, and those before them."""
    share = max(1, near // max(1, len(ranges)))
    cuts = {place: max(first, end - share) for place, (first, end) in ranges.items()}
    late = {place: (cuts[place], end) for place, (_, end) in ranges.items()}
    early = {place: (first, cuts[place]) for place, (first, _) in ranges.items()}
    return late, {place: span for place, span in early.items() if span[0] < span[1]}


def slices(
    connection: Mapping[str, Any], ranges: Mapping[Place, Range], *, most: int
) -> Iterator[list[Message]]:
    """The records of the ranges, about `most` at a time, in order within each partition.

    Raise TransientError if Kafka gives nothing for 30 s.
    """
    if not ranges:
        return
    doing = f"reading back {len(ranges)} partitions"
    consumer = without_group(
        {
            **connection,
            # What retention takes away meanwhile is too old to be missed.
            "auto.offset.reset": "earliest",
            "isolation.level": "read_uncommitted",
        }
    )
    try:
        with our_errors(doing):
            consumer.assign([TopicPartition(*place, at) for place, (at, _) in ranges.items()])
            yield from _until(consumer, {p: end for p, (_, end) in ranges.items()}, most, doing)
    finally:
        consumer.close()


def _until(
    consumer: Consumer, left: dict[Place, int], most: int, doing: str
) -> Iterator[list[Message]]:
    found: list[Message] = []
    deadline = time.monotonic() + _PATIENCE_S
    while left:
        messages = consumer.consume(_AT_ONCE, 0.05)
        if messages:
            deadline = time.monotonic() + _PATIENCE_S
        elif time.monotonic() > deadline:
            raise TransientError(f"{doing}: nothing in {_PATIENCE_S:g} s")
        finished = list(_sorted_out(messages, left, found, doing))
        consumer.pause([TopicPartition(*place) for place in finished])
        if len(found) >= most:
            yield found
            found = []
    yield found


def _sorted_out(
    messages: Iterable[Message], left: dict[Place, int], found: list[Message], doing: str
) -> Iterator[Place]:
    """Add to `found` what lies before its end; yield the partitions that are read."""
    for message in messages:
        place = (message.topic(), message.partition())
        end, error = left.get(place), message.error()
        if error is not None and error.code() != KafkaError._PARTITION_EOF:
            raise ours(error, doing)
        if end is None:
            continue
        if error is None and message.offset() < end:
            found.append(message)
        # Compaction leaves gaps, at the end too: there the end of the partition tells.
        if error is not None or message.offset() >= end - 1:
            del left[place]
            yield place
