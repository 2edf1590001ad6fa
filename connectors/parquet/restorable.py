"""Whether a cluster can become what an export says, before a record is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from confluent_kafka.admin import AdminClient

from connectors.kafka import inspection
from connectors.parquet.holes import hole_behind
from connectors.parquet.manifest import Manifest
from hadron.errors import HadronError
from hadron.topics import Topic

Place = tuple[str, int]


class Target(msgspec.Struct, frozen=True):
    """The cluster, and how its topics are declared."""

    connection: Mapping[str, Any]
    admin: AdminClient
    declared: Mapping[str, Topic]  # by name
    partitions: int
    replication: int


def demand_declared(target: Target, manifest: Manifest) -> None:
    """Every topic is in the catalogue, with as many partitions."""
    for name, exported in manifest.topics.items():
        if name not in target.declared:
            raise HadronError(f"topic {name} of the export is not in the catalogue")
        if (seen := len(exported.partitions)) != target.partitions:
            raise HadronError(
                f"HADRON_NUM_SHARDS is {target.partitions}; wanted {seen}, which topic {name} has"
                " in the export"
            )


def demand_possible(target: Target, manifest: Manifest, topic: str) -> None:
    """Kafka would give each record of a topic its time and its offset again."""
    if manifest.topics[topic].settings.get("message.timestamp.type") == "LogAppendTime":
        raise HadronError(
            f"topic {topic} was stamped by brokers, and only a broker can give such stamps"
        )
    for partition, within in enumerate(manifest.topics[topic].partitions):
        days = manifest.of(topic, partition)
        if any(day.earliest_ms <= 0 for day in days):
            raise HadronError(
                f"{topic}/{partition} has a record without a time; Kafka gives it one"
            )
        hole = hole_behind(days, within)
        if hole is not None and not target.declared[topic].compacted:
            raise HadronError(
                f"{topic}/{partition} has no record at an offset at or after {hole}, and is not"
                " compacted: a transaction left that, and a stand-in for it would be read"
            )


def demand_empty(target: Target, places: Sequence[Place]) -> None:
    """Nothing was ever written to these partitions."""
    layouts = inspection.inspect(target.admin).topics
    for name, _ in places:
        if (seen := layouts[name].partitions) != target.partitions:
            raise HadronError(f"topic {name} has {seen} partitions, wanted {target.partitions}")
    for (name, partition), (_, end) in inspection.bounds(target.admin, places).items():
        if end:
            raise HadronError(
                f"{name}/{partition} is not empty: its next offset is {end}; wanted a new topic"
            )
