"""Kafka's administration: topics as declared and as they are; groups come from `groups`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec
from confluent_kafka import KafkaError
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, ResourceType

from connectors.kafka.connection import ADMIN_TIMEOUT_S, failed_with, our_errors
from connectors.kafka.groups import Admin, committed, lag, members, reset
from hadron.errors import TransientError
from hadron.topics import Topic

__all__ = [
    "Difference",
    "apply",
    "committed",
    "compare",
    "connect",
    "delete",
    "lag",
    "members",
    "reset",
    "settings_of",
    "wait_until",
]


class Difference(msgspec.Struct, frozen=True):
    """Where a topic is not as declared. `setting` is "topic", "partitions" or one of Kafka's."""

    topic: str
    setting: str
    seen: str
    wanted: str

    def __str__(self) -> str:
        return f"{self.topic}: {self.setting} is {self.seen}, wanted {self.wanted}"


def connect(connection: Mapping[str, Any]) -> Admin:
    """A client for the functions below; `connection` is from `connection.configuration`."""
    return Admin(connection)


def apply(
    admin: AdminClient, declared: Sequence[Topic], *, partitions: int, replication: int
) -> list[str]:
    """Create the topics that are missing; return their names. What exists is left as it is."""
    known = _partitions(admin)
    missing = [
        NewTopic(
            topic.name,
            num_partitions=partitions,
            replication_factor=replication,
            config=topic.configuration(),
        )
        for topic in declared
        if topic.name not in known
    ]
    if not missing:
        return []
    created = []
    for name, future in admin.create_topics(missing, request_timeout=ADMIN_TIMEOUT_S).items():
        with our_errors(f"creating topic {name}"):
            # Or someone else has just made it.
            if not failed_with(future, KafkaError.TOPIC_ALREADY_EXISTS):
                created.append(name)
    # The controller answers before the brokers know.
    wait_until(lambda: {topic.name for topic in declared} <= _partitions(admin).keys())
    return created


def compare(admin: AdminClient, declared: Sequence[Topic], *, partitions: int) -> list[Difference]:
    """Every difference between what is declared and what is."""
    known = _partitions(admin)
    present = [topic for topic in declared if topic.name in known]
    settings = settings_of(admin, [topic.name for topic in present])
    found = [
        Difference(topic.name, "topic", "missing", "present")
        for topic in declared
        if topic.name not in known
    ]
    for topic in present:
        if known[topic.name] != partitions:
            found.append(
                Difference(topic.name, "partitions", str(known[topic.name]), str(partitions))
            )
        for setting, wanted in topic.configuration().items():
            if (seen := settings[topic.name].get(setting, "unknown")) != wanted:
                found.append(Difference(topic.name, setting, seen, wanted))
    return found


def delete(admin: AdminClient, names: Sequence[str]) -> None:
    """Delete topics with all their records; those that do not exist are no error."""
    if not names:
        return
    for name, future in admin.delete_topics(list(names), request_timeout=ADMIN_TIMEOUT_S).items():
        with our_errors(f"deleting topic {name}"):
            failed_with(future, KafkaError.UNKNOWN_TOPIC_OR_PART)
    wait_until(lambda: _partitions(admin).keys().isdisjoint(names))


def _partitions(admin: AdminClient) -> dict[str, int]:
    with our_errors("listing topics"):
        listed = admin.list_topics(timeout=ADMIN_TIMEOUT_S)
    return {name: len(topic.partitions) for name, topic in listed.topics.items()}


def settings_of(admin: AdminClient, names: Iterable[str]) -> dict[str, dict[str, str]]:
    """The settings of topics as the broker that is asked knows them, by topic and name."""
    resources = [ConfigResource(ResourceType.TOPIC, name) for name in names]
    if not resources:
        return {}
    with our_errors("reading the settings of topics"):
        return {
            resource.name: {entry.name: entry.value for entry in future.result().values()}
            for resource, future in admin.describe_configs(
                resources, request_timeout=ADMIN_TIMEOUT_S
            ).items()
        }


def wait_until(holds: Callable[[], bool]) -> None:
    """Return once brokers know of what the controller has answered. Raise TransientError."""
    deadline = time.monotonic() + ADMIN_TIMEOUT_S
    while not holds():
        if time.monotonic() > deadline:
            raise TransientError(
                f"brokers do not know of changed topics after {ADMIN_TIMEOUT_S:g} s"
            )
        time.sleep(0.02)
