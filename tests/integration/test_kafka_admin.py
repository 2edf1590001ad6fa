"""Topics and groups on a real broker."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from confluent_kafka import Consumer
from confluent_kafka.admin import AdminClient
from msgspec.structs import astuple, replace

from connectors.kafka import admin, groups
from connectors.kafka.connection import configuration
from connectors.kafka.log import KafkaLog
from connectors.local.stack import Endpoints
from hadron import topics
from hadron.errors import HadronError
from hadron.settings import Settings
from hadron.topics import Topic

DAY_MS = topics.DAY_MS


@pytest.fixture
def client(stack: Endpoints) -> AdminClient:
    return admin.connect(configuration(Settings(kafka=stack.kafka)))


@pytest.fixture
def declared(client: AdminClient, unique: str) -> Iterator[list[Topic]]:
    found = [
        Topic(f"{unique}.ticks", "instrument", (), DAY_MS),
        Topic(f"{unique}.positions", "portfolio", (), compacted=True),
    ]
    yield found
    admin.delete(client, [topic.name for topic in found])


@pytest.fixture
def log(stack: Endpoints) -> Iterator[KafkaLog]:
    log = KafkaLog(configuration(Settings(kafka=stack.kafka)))
    yield log
    log.close()


def test_apply_creates_what_is_missing_and_nothing_the_second_time(
    client: AdminClient, declared: list[Topic]
) -> None:
    first = admin.apply(client, declared[:1], partitions=3, replication=1)
    second = admin.apply(client, declared, partitions=3, replication=1)
    third = admin.apply(client, declared, partitions=3, replication=1)

    assert first == [declared[0].name]
    assert second == [declared[1].name]
    assert third == []
    assert admin.compare(client, declared, partitions=3) == []


def test_the_whole_catalogue_can_be_applied(client: AdminClient, unique: str) -> None:
    # Topics of plain type: those of shadows refuse another prefix.
    catalogue = [Topic(f"{unique}.{one.name}", *astuple(one)[1:]) for one in topics.ALL]

    admin.apply(client, catalogue, partitions=2, replication=1)
    differences = admin.compare(client, catalogue, partitions=2)
    admin.delete(client, [topic.name for topic in catalogue])

    assert differences == []


def test_compare_names_every_difference_with_what_is_seen_and_wanted(
    client: AdminClient, declared: list[Topic]
) -> None:
    ticks, positions = declared
    admin.apply(client, [replace(ticks, retention_ms=2 * DAY_MS)], partitions=1, replication=1)

    found = [str(difference) for difference in admin.compare(client, declared, partitions=3)]

    assert found == [
        f"{positions.name}: topic is missing, wanted present",
        f"{ticks.name}: partitions is 1, wanted 3",
        f"{ticks.name}: retention.ms is {2 * DAY_MS}, wanted {DAY_MS}",
    ]


def test_deleting_a_topic_twice_is_no_error(client: AdminClient, declared: list[Topic]) -> None:
    admin.apply(client, declared, partitions=1, replication=1)

    admin.delete(client, [declared[0].name])
    admin.delete(client, [declared[0].name])

    assert [d.setting for d in admin.compare(client, declared, partitions=1)] == ["topic"]


def test_lag_counts_from_the_committed_offsets_to_the_ends(
    client: AdminClient, log: KafkaLog, make_topic: Callable[..., str], unique: str
) -> None:
    topic = make_topic(partitions=2)
    for partition, records in ((0, 5), (1, 3)):
        log.append(topic, partition, [(None, b"x")] * records)
    log.flush()

    before = admin.lag(client, unique)
    admin.reset(client, unique, {(topic, 0): 2, (topic, 1): 3})

    assert before == {}
    assert admin.committed(client, unique) == {(topic, 0): 2, (topic, 1): 3}
    assert admin.lag(client, unique) == {(topic, 0): 3, (topic, 1): 0}


def test_a_group_with_members_is_not_reset(
    client: AdminClient, stack: Endpoints, make_topic: Callable[..., str], unique: str
) -> None:
    topic = make_topic()
    assigned: list[object] = []
    consumer = Consumer({"bootstrap.servers": stack.kafka, "group.id": unique, "client.id": "ours"})
    consumer.subscribe([topic], on_assign=lambda _, places: assigned.extend(places))
    for _ in range(300):
        consumer.poll(0.1)
        if assigned:
            break

    [owner] = groups.readers(client, unique).owners
    with pytest.raises(HadronError, match="has 1 members, wanted none"):
        admin.reset(client, unique, {(topic, 0): 0})
    consumer.close()
    admin.reset(client, unique, {(topic, 0): 0})

    assert assigned
    assert owner == groups.Member("ours", "127.0.0.1", [(topic, 0)])
    assert groups.readers(client, unique).owners == []
    assert admin.members(client, unique) == 0
    assert admin.committed(client, unique) == {(topic, 0): 0}
