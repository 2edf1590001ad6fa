"""Topics as they are declared and as they are, and the offsets of groups."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec
from confluent_kafka import (
    ConsumerGroupState,
    ConsumerGroupTopicPartitions,
    KafkaError,
    KafkaException,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, OffsetSpec, ResourceType

from connectors.kafka.connection import our_errors
from hadron.errors import HadronError, TransientError
from hadron.topics import Topic

_PATIENCE_S = 30.0
Place = tuple[str, int]


class Difference(msgspec.Struct, frozen=True):
    """Where a topic is not as declared. `setting` is "topic", "partitions" or one of Kafka's."""

    topic: str
    setting: str
    seen: str
    wanted: str

    def __str__(self) -> str:
        return f"{self.topic}: {self.setting} is {self.seen}, wanted {self.wanted}"


def connect(connection: Mapping[str, Any]) -> AdminClient:
    """A client for the functions below; `connection` is from `connection.configuration`."""
    return AdminClient(dict(connection))


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
    for name, future in admin.create_topics(missing, request_timeout=_PATIENCE_S).items():
        with our_errors(f"creating topic {name}"):
            # Or someone else has just made it.
            if not _failed_with(future, KafkaError.TOPIC_ALREADY_EXISTS):
                created.append(name)
    # The controller answers before the brokers know.
    _wait_until(lambda: {topic.name for topic in declared} <= _partitions(admin).keys())
    return created


def compare(admin: AdminClient, declared: Sequence[Topic], *, partitions: int) -> list[Difference]:
    """Every difference between what is declared and what is."""
    known = _partitions(admin)
    present = [topic for topic in declared if topic.name in known]
    settings = _settings(admin, [topic.name for topic in present])
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
    for name, future in admin.delete_topics(list(names), request_timeout=_PATIENCE_S).items():
        with our_errors(f"deleting topic {name}"):
            _failed_with(future, KafkaError.UNKNOWN_TOPIC_OR_PART)
    _wait_until(lambda: _partitions(admin).keys().isdisjoint(names))


def committed(admin: AdminClient, group: str) -> dict[Place, int]:
    """The next offset that each partition's reader of the group will read."""
    wanted = [ConsumerGroupTopicPartitions(group)]
    with our_errors(f"reading the offsets of group {group}"):
        found = admin.list_consumer_group_offsets(wanted, request_timeout=_PATIENCE_S)[
            group
        ].result()
        return {
            (place.topic, place.partition): place.offset
            for place in found.topic_partitions
            if place.offset >= 0
        }


def lag(admin: AdminClient, group: str) -> dict[Place, int]:
    """Offsets not yet committed, of each partition that the group has committed for.

    On topics with gaps (compaction) fewer records than that may wait.
    """
    positions = committed(admin, group)
    if not positions:
        return {}
    asked = {TopicPartition(*place): OffsetSpec.latest() for place in positions}
    with our_errors(f"reading the ends of what group {group} reads"):
        ends = {
            (place.topic, place.partition): future.result().offset
            for place, future in admin.list_offsets(asked, request_timeout=_PATIENCE_S).items()
        }
    return {place: max(0, ends[place] - offset) for place, offset in positions.items()}


def members(admin: AdminClient, group: str) -> int:
    """How many readers the group has now; 0 for one that does not exist."""
    with our_errors(f"describing group {group}"):
        described = admin.describe_consumer_groups([group], request_timeout=_PATIENCE_S)[group]
        if _failed_with(described, KafkaError.GROUP_ID_NOT_FOUND):
            return 0
        found = described.result()
    # While members join or leave, they are not listed.
    joining = found.state in (
        ConsumerGroupState.PREPARING_REBALANCING,
        ConsumerGroupState.COMPLETING_REBALANCING,
    )
    return max(len(found.members), int(joining))


def reset(admin: AdminClient, group: str, offsets: Mapping[Place, int]) -> None:
    """Let the group continue at these offsets. Raise HadronError while it has members."""
    if present := members(admin, group):
        raise HadronError(
            f"group {group}: has {present} members, wanted none; stop its processes first"
        )
    places = [TopicPartition(*place, offset) for place, offset in offsets.items()]
    if not places:
        return
    wanted = [ConsumerGroupTopicPartitions(group, places)]
    with our_errors(f"resetting group {group}"):
        admin.alter_consumer_group_offsets(wanted, request_timeout=_PATIENCE_S)[group].result()


def _partitions(admin: AdminClient) -> dict[str, int]:
    with our_errors("listing topics"):
        listed = admin.list_topics(timeout=_PATIENCE_S)
    return {name: len(topic.partitions) for name, topic in listed.topics.items()}


def _settings(admin: AdminClient, names: Iterable[str]) -> dict[str, dict[str, str]]:
    resources = [ConfigResource(ResourceType.TOPIC, name) for name in names]
    if not resources:
        return {}
    with our_errors("reading the settings of topics"):
        return {
            resource.name: {entry.name: entry.value for entry in future.result().values()}
            for resource, future in admin.describe_configs(
                resources, request_timeout=_PATIENCE_S
            ).items()
        }


def _wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not holds():
        if time.monotonic() > deadline:
            raise TransientError(f"brokers do not know of changed topics after {_PATIENCE_S:g} s")
        time.sleep(0.02)


def _failed_with(future: Any, tolerated: int) -> bool:
    try:
        future.result()
    except KafkaException as error:
        if error.args[0].code() != tolerated:
            raise
        return True
    return False
