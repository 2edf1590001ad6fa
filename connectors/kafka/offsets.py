"""Offsets of partitions, as their leaders have them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from connectors.kafka.connection import ADMIN_TIMEOUT_S, our_errors, patiently

Place = tuple[str, int]


def listed_once(
    admin: AdminClient, places: Iterable[Place], spec: OffsetSpec, doing: str, **options: Any
) -> dict[Place, int]:
    """The offset that each partition has for a specification; -1 where none fits.

    One request. `options` are those of `AdminClient.list_offsets`. Raise TransientError if Kafka
    cannot say now.
    """
    wanted = {TopicPartition(*place): spec for place in places}
    if not wanted:
        return {}
    with our_errors(doing):
        asked = admin.list_offsets(wanted, **{"request_timeout": ADMIN_TIMEOUT_S, **options})
        try:
            return {(at.topic, at.partition): one.result().offset for at, one in asked.items()}
        except KafkaException:
            # Else librdkafka 2.16 asks again as the leader of an earlier epoch, which is refused
            # for as long as it knows no better.
            admin.list_topics(timeout=ADMIN_TIMEOUT_S)
            raise


# For ten seconds.
listed = patiently(listed_once)
