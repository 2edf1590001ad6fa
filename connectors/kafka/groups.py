"""Consumer groups: how far they are, and how to send them back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from confluent_kafka import (
    Consumer,
    ConsumerGroupState,
    ConsumerGroupTopicPartitions,
    KafkaError,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, MemberDescription, OffsetSpec
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_exponential

from connectors.kafka.connection import ADMIN_TIMEOUT_S, failed_with, our_errors, patiently
from connectors.kafka.offsets import listed
from hadron.errors import HadronError, TransientError

Place = tuple[str, int]


class Member(msgspec.Struct, frozen=True):
    """One reader of a group: what it calls itself, where it is, and what it owns now."""

    client: str
    host: str
    places: Sequence[Place]

    @property
    def shards(self) -> Sequence[int]:
        """Its partitions, which are the same ones of all topics."""
        return sorted({partition for _, partition in self.places})


class Readers(msgspec.Struct, frozen=True):
    """How many a group has, and who reads what; nobody owns anything while they join or leave."""

    count: int
    owners: Sequence[Member]


class Admin(AdminClient):  # type: ignore[misc]
    """Kafka's administration, and what groups have committed.

    librdkafka 2.16 ends the process if an administrator asks for a group's offsets while the
    coordinator moves or loads, so they are asked for as a member of the group would.
    """

    def __init__(self, connection: Mapping[str, Any]) -> None:
        super().__init__(dict(connection))
        self._connection = dict(connection)
        self._readers: dict[str, Consumer] = {}

    def reader(self, group: str) -> Consumer:
        """A consumer that knows the group and never joins it."""
        if group not in self._readers:
            settings = {"group.id": group, "enable.auto.commit": False}
            self._readers[group] = Consumer({**self._connection, **settings})
        return self._readers[group]


@patiently
def committed(admin: Admin, group: str) -> dict[Place, int]:
    """The next offset that each partition's reader of the group will read."""
    with our_errors(f"reading the offsets of group {group}"):
        topics = admin.list_topics(timeout=ADMIN_TIMEOUT_S).topics
        places = [
            TopicPartition(name, partition)
            for name, topic in topics.items()
            if not name.startswith("__")
            for partition in topic.partitions
        ]
        found = admin.reader(group).committed(places, timeout=ADMIN_TIMEOUT_S)
        return {
            (place.topic, place.partition): place.offset for place in found if place.offset >= 0
        }


def lag(admin: Admin, group: str) -> dict[Place, int]:
    """Offsets not yet committed, of each partition that the group has committed for.

    On topics with gaps (compaction) fewer records than that may wait.
    """
    positions = committed(admin, group)
    if not positions:
        return {}
    ends = listed(
        admin, positions, OffsetSpec.latest(), "asking for the ends of what a group reads"
    )
    return {place: max(0, ends[place] - offset) for place, offset in positions.items()}


def members(admin: AdminClient, group: str) -> int:
    """How many readers the group has now; 0 for one that does not exist."""
    return readers(admin, group).count


@patiently
def readers(admin: AdminClient, group: str) -> Readers:
    """Of one moment; none of a group that does not exist."""
    with our_errors(f"describing group {group}"):
        described = admin.describe_consumer_groups([group], request_timeout=ADMIN_TIMEOUT_S)[group]
        if failed_with(described, KafkaError.GROUP_ID_NOT_FOUND):
            return Readers(0, [])
        found = described.result()
    # While members join or leave, they are not listed.
    joining = found.state in (
        ConsumerGroupState.PREPARING_REBALANCING,
        ConsumerGroupState.COMPLETING_REBALANCING,
    )
    listed = sorted(map(_member, found.members), key=lambda one: (one.shards, one.client))
    return Readers(max(len(listed), int(joining)), listed)


def _member(described: MemberDescription) -> Member:
    owned = described.assignment.topic_partitions if described.assignment else ()
    places = [(place.topic, place.partition) for place in owned]
    return Member(described.client_id, described.host.removeprefix("/"), places)


def reset(admin: AdminClient, group: str, offsets: Mapping[Place, int]) -> None:
    """Let the group continue at these offsets. Raise HadronError while it has members."""
    if present := members(admin, group):
        raise HadronError(
            f"group {group}: has {present} members, wanted none; stop its processes first"
        )
    if offsets:
        _alter(admin, group, offsets)


def delete(admin: AdminClient, names: Sequence[str]) -> None:
    """Forget groups and their offsets; those that do not exist are no error.

    Waits for members that were killed and are not missed yet; raise TransientError after a minute.
    """
    for name in names:
        _delete(admin, name)


@retry(
    retry=retry_if_exception_type(TransientError),
    wait=wait_exponential(0.05, max=1),
    stop=stop_after_delay(60),
    reraise=True,
)
def _delete(admin: AdminClient, group: str) -> None:
    if present := members(admin, group):
        raise TransientError(f"deleting group {group}: has {present} members, wanted none")
    with our_errors(f"deleting group {group}"):
        deleted = admin.delete_consumer_groups([group], request_timeout=ADMIN_TIMEOUT_S)[group]
        failed_with(deleted, KafkaError.GROUP_ID_NOT_FOUND)


@patiently
def _alter(admin: AdminClient, group: str, offsets: Mapping[Place, int]) -> None:
    places = [TopicPartition(*place, offset) for place, offset in offsets.items()]
    wanted = [ConsumerGroupTopicPartitions(group, places)]
    with our_errors(f"resetting group {group}"):
        admin.alter_consumer_group_offsets(wanted, request_timeout=ADMIN_TIMEOUT_S)[group].result()
