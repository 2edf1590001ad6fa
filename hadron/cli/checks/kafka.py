"""Kafka: the topics as they must be for shards to fit together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from hadron.cli.checks.finding import Finding, error, listed, sound, warning
from hadron.topics import Topic
from hadron.variables import variable

if TYPE_CHECKING:
    from connectors.kafka.admin import Difference
    from connectors.kafka.inspection import Cluster, Layout
    from hadron.settings import Settings

APPLY = "run `hadron topics apply`"


def unreachable(settings: Settings, problem: Exception) -> Finding:
    """Kafka does not answer, so what else is to be seen there was not looked at."""
    return error(
        "kafka",
        f"{settings.kafka}: {problem}; what is not listed above is not checked",
        wanted="a broker that answers",
        remedy=f"start the local stack with `hadron up`, or correct {variable('kafka')}",
    )


def brokers(cluster: Cluster, settings: Settings) -> Finding:
    """Enough brokers for the copies that are wanted."""
    if cluster.brokers < settings.replication:
        return error(
            "kafka",
            f"{cluster.brokers} brokers",
            wanted=f"{settings.replication}, as {variable('replication')} asks for so many copies",
            remedy=f"start more brokers, or lower {variable('replication')}",
        )
    return sound("kafka", f"{settings.kafka} answers; brokers: {cluster.brokers}")


def missing(cluster: Cluster, declared: Sequence[Topic]) -> Finding:
    """Every topic of the catalogue exists."""
    absent = [topic.name for topic in declared if topic.name not in cluster.topics]
    if absent:
        wanted = f"all {len(declared)} of the catalogue"
        return error("topics", f"missing: {listed(absent)}", wanted=wanted, remedy=APPLY)
    return sound("topics", f"all {len(declared)} exist")


def shards(layouts: Mapping[str, Layout], settings: Settings) -> Finding:
    """HADRON_NUM_SHARDS is the number of partitions, if the topics agree on one."""
    counts = {layout.partitions for layout in layouts.values()}
    wanted = settings.num_shards
    if len(counts) == 1 and counts != {wanted}:
        [seen] = counts
        return error(
            "shards",
            f"{variable('num_shards')} is {wanted}, but all topics have {seen} partitions",
            wanted=f"{seen}",
            remedy=f"set {variable('num_shards')}={seen}; to have another number of shards, begin"
            " with new topics: a key keeps its partition for good",
        )
    return sound("shards", f"{variable('num_shards')} is {wanted}")


def partitions(layouts: Mapping[str, Layout], settings: Settings) -> Finding:
    """Co-partitioning: shard p reads partition p of every topic, so all have the same number."""
    counts = {layout.partitions for layout in layouts.values()}
    if len(counts) < 2:
        return sound("co-partitioning", "all topics have the same number of partitions")
    odd = [
        f"{name} has {layout.partitions}"
        for name, layout in sorted(layouts.items())
        if layout.partitions != settings.num_shards
    ]
    return error(
        "co-partitioning",
        f"partitions: {listed(odd)}",
        wanted=f"{settings.num_shards} for every topic ({variable('num_shards')})",
        remedy="stop all processes, delete these topics, if what they hold may go, and"
        f" {APPLY}; Kafka cannot take partitions away, and adding some moves keys",
    )


def configuration(differences: Iterable[Difference]) -> Finding:
    """Retention and compaction are as declared."""
    odd = [str(one) for one in differences if one.setting not in ("topic", "partitions")]
    if odd:
        return error(
            "topic settings",
            "; ".join(odd),
            wanted="the settings of the catalogue",
            remedy=APPLY,
        )
    return sound("topic settings", "as declared")


def copies(layouts: Mapping[str, Layout], settings: Settings) -> Finding:
    """Each partition has the copies that are wanted."""
    poor = [
        f"{name} has {layout.copies}"
        for name, layout in sorted(layouts.items())
        if layout.copies < settings.replication
    ]
    if poor:
        return error(
            "replication",
            f"copies: {listed(poor)}",
            wanted=f"{settings.replication} ({variable('replication')})",
            remedy=f"add copies with kafka-reassign-partitions, or lower {variable('replication')}",
        )
    return sound("replication", f"each partition has {settings.replication} or more copies")


def future(stamped: Iterable[tuple[str, int]]) -> Finding:
    """No record is stamped minutes ahead of this machine's clock."""
    topics = sorted({topic for topic, _ in stamped})
    if topics:
        return warning(
            "future records",
            f"records stamped over a minute from now: {listed(topics)}",
            wanted="no record from the future",
            remedy="correct the clock of this machine or of the one that wrote them; replay by"
            " time passes over such records",
        )
    return sound("future records", "none")
