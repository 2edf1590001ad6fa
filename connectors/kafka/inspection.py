"""What a cluster is like right now, for those who check it: brokers, layout, groups, stamps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from confluent_kafka import IsolationLevel
from confluent_kafka.admin import AdminClient, OffsetSpec

from connectors.kafka.connection import ADMIN_TIMEOUT_S, our_errors, patiently
from connectors.kafka.offsets import listed


class Layout(msgspec.Struct, frozen=True):
    """How a topic lies on the brokers. `copies` is that of its least copied partition."""

    partitions: int
    copies: int


class Cluster(msgspec.Struct, frozen=True):
    """The brokers that answer, and all topics."""

    brokers: int
    topics: Mapping[str, Layout]


def inspect(admin: AdminClient, *, timeout_s: float = 5.0) -> Cluster:
    """Raise TransientError if no broker answers in time."""
    with our_errors("asking Kafka for its brokers and topics"):
        listed = admin.list_topics(timeout=timeout_s)
    return Cluster(
        len(listed.brokers),
        {
            name: Layout(
                len(topic.partitions),
                min((len(part.replicas) for part in topic.partitions.values()), default=0),
            )
            for name, topic in listed.topics.items()
        },
    )


@patiently
def groups(admin: AdminClient) -> list[str]:
    """The consumer groups that the cluster knows, with or without members."""
    with our_errors("listing consumer groups"):
        listed = admin.list_consumer_groups(request_timeout=ADMIN_TIMEOUT_S).result()
    return sorted(group.group_id for group in listed.valid)


def stamped_after(
    admin: AdminClient, places: Sequence[tuple[str, int]], time_ms: int
) -> dict[tuple[str, int], int]:
    """The first record stamped at or after a time, for the partitions that have one."""
    spec = OffsetSpec.for_timestamp(time_ms)
    found = listed(admin, places, spec, "asking for records by time")
    return {place: offset for place, offset in found.items() if offset >= 0}


@patiently
def cluster_id(admin: AdminClient) -> str:
    """What the cluster calls itself; another that is made from its records has another name."""
    with our_errors("asking Kafka for its cluster"):
        return str(admin.describe_cluster(request_timeout=ADMIN_TIMEOUT_S).result().cluster_id)


def bounds(
    admin: AdminClient, places: Sequence[tuple[str, int]]
) -> dict[tuple[str, int], tuple[int, int]]:
    """The first offset that each partition still has, and the one after its last committed."""
    doing, committed = "asking where partitions start and end", IsolationLevel.READ_COMMITTED
    starts = listed(admin, places, OffsetSpec.earliest(), doing)
    ends = listed(admin, places, OffsetSpec.latest(), doing, isolation_level=committed)
    return {place: (starts[place], ends[place]) for place in places}
