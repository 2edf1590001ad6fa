"""Reads short ranges again and again, as whoever follows the end of the log does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import Any

from confluent_kafka import Consumer, TopicPartition

from connectors.kafka.connection import our_errors, patiently
from connectors.kafka.reading import KafkaReader, record_of, until, without_group
from hadron.ports import Record

Place = tuple[str, int]


class FollowingReader(KafkaReader):
    """A Reading that keeps one consumer a topic, so one range of a topic is read at a time.

    It joins no group. `commit` says in the name of one how far it is, for those who look.
    """

    def __init__(self, connection: Mapping[str, Any], group: str) -> None:
        super().__init__(connection)
        self._group = group
        self._consumers: dict[str, Consumer] = {}
        self._open = ExitStack()

    def read(self, topic: str, partition: int, *, start: int, end: int) -> Iterator[Record]:
        """See Reading. Raise HadronError if records from `start` on have been deleted."""
        if start >= end:
            return
        doing = f"reading {topic}/{partition} from {start} to {end}"
        consumer = self._consumer(topic)
        with our_errors(doing):
            consumer.assign([TopicPartition(topic, partition, start)])
            for messages in until(consumer, start, end, doing):
                for message in messages:
                    yield record_of(message)
            consumer.unassign()

    @patiently
    def commit(self, offsets: Mapping[Place, int]) -> None:
        """Say how far the group is. Raise TransientError if its coordinator is not found."""
        places = [TopicPartition(*place, offset) for place, offset in sorted(offsets.items())]
        if places:
            with our_errors(f"committing as group {self._group}"):
                self._consumer(places[0].topic).commit(offsets=places, asynchronous=False)

    def close(self) -> None:
        """Disconnect."""
        self._open.close()

    def _consumer(self, topic: str) -> Consumer:
        if topic not in self._consumers:
            consumer = without_group(
                {
                    "group.id": self._group,
                    "auto.offset.reset": "error",
                    "isolation.level": "read_uncommitted",
                    # What lies behind the range is fetched in vain.
                    "queued.max.messages.kbytes": 4096,
                    **self._connection,
                }
            )
            self._open.callback(consumer.close)
            self._consumers[topic] = consumer
        return self._consumers[topic]
