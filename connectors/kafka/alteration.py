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

from connectors.kafka.admin import Difference, settings_of, wait_until
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
        # The controller answers before the brokers know.
        wait_until(lambda: _are_set(admin, settable))
    return settable


def _are_set(admin: AdminClient, wanted: Iterable[Difference]) -> bool:
    known = settings_of(admin, {one.topic for one in wanted})
    return all(known[one.topic].get(one.setting) == one.wanted for one in wanted)
