"""Asks a schema registry what it knows, and registers nothing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from hadron.errors import HadronError, SettingsError, TransientError

if TYPE_CHECKING:
    from confluent_kafka.schema_registry import SchemaRegistryClient

TIMEOUT_S = 5


def unknown_ids(url: str, ids: Iterable[int]) -> set[int]:
    """Those of `ids` that the registry has not.

    Raise TransientError if it does not answer, SettingsError if its client is not installed,
    HadronError if it refuses. Messages do not hold the URL, which may hold a password.
    """
    try:
        import httpx2
        from confluent_kafka.schema_registry import SchemaRegistryClient
        from confluent_kafka.schema_registry.error import SchemaRegistryError
    except ImportError as error:
        wanted = "install hadron-platform[registry]"
        raise SettingsError([f"HADRON_REGISTRY: its client is not installed: {wanted}"]) from error
    try:
        with SchemaRegistryClient({"url": url, "timeout": TIMEOUT_S}) as client:
            client.get_subjects()
            return {one for one in ids if not _has(client, one)}
    except SchemaRegistryError as error:
        raise HadronError(f"the registry answers {error.http_status_code}") from error
    except httpx2.TransportError as error:
        raise TransientError("the registry does not answer") from error
    except ValueError as error:
        raise HadronError("it is no URL of a schema registry") from error


def _has(client: SchemaRegistryClient, schema_id: int) -> bool:
    from confluent_kafka.schema_registry.error import SchemaRegistryError

    try:
        client.get_schema(schema_id)
    except SchemaRegistryError as error:
        if error.http_status_code == 404:
            return False
        raise
    return True
