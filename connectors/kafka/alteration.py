"""Brings the settings of existing topics to what is declared."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)

from connectors.kafka.admin import Difference
from connectors.kafka.connection import ADMIN_TIMEOUT_S, our_errors


def alter(admin: AdminClient, differences: Iterable[Difference]) -> list[Difference]:
    """Set what can be set, which is all but existence and partitions. Return what was set."""
    settable = [one for one in differences if one.setting not in ("topic", "partitions")]
    entries: dict[str, list[ConfigEntry]] = defaultdict(list)
    for one in settable:
        entry = ConfigEntry(one.setting, one.wanted, incremental_operation=AlterConfigOpType.SET)
        entries[one.topic].append(entry)
    resources = [
        ConfigResource(ResourceType.TOPIC, topic, incremental_configs=wanted)
        for topic, wanted in entries.items()
    ]
    if resources:
        futures = admin.incremental_alter_configs(resources, request_timeout=ADMIN_TIMEOUT_S)
        for resource, future in futures.items():
            with our_errors(f"setting {resource.name}"):
                future.result()
    return settable
