"""Topics of a test, there when it begins: the controller answers before brokers know of them."""

from __future__ import annotations

from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from connectors.kafka.admin import wait_until


def make_topics(admin: AdminClient, *wanted: NewTopic) -> None:
    """Make topics, and wait until the broker has all of their partitions."""
    for future in admin.create_topics(list(wanted)).values():
        future.result(30)
    partitions = {(topic.topic, topic.num_partitions) for topic in wanted}

    def known() -> bool:
        listed = admin.list_topics(timeout=30).topics.values()
        return partitions <= {(topic.topic, len(topic.partitions)) for topic in listed}

    wait_until(known)
