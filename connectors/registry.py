"""The ids of contracts from a schema registry that speaks Confluent's API."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from hadron.envelope import Version
from hadron.errors import ContractError, SettingsError, TransientError

if TYPE_CHECKING:
    from confluent_kafka.schema_registry import SchemaRegistryClient

# A fact of any age can be read by any version of the code, and the other way round.
COMPATIBILITY = "FULL_TRANSITIVE"
TIMEOUT_S = 10


def registered(
    url: str, contracts: Iterable[tuple[str, Mapping[str, Any]]]
) -> tuple[list[Version], Callable[[int], Version]]:
    """Register the schemas of contracts, by name and age; return their ids and a look-up of others.

    What `AvroCodec(*registered(...))` needs. The subject is the record's full name, so that topics
    may carry several contracts (Confluent, RecordNameStrategy). Doing it again changes nothing.
    Raise SettingsError if the registry refuses, TransientError if it is unwell; the look-up
    raises ContractError for an id that it has not, or that is no contract of ours.
    """
    ours = list(contracts)
    names = {_full_name(schema): name for name, schema in ours}
    with _our_errors(url), _client(url) as client:
        for subject in names:
            _require_compatibility(client, subject)
        versions = [Version(_register(client, schema), name, schema) for name, schema in ours]
    return versions, partial(_looked_up, url, names)


def known(url: str, contracts: Mapping[str, Mapping[str, Any]]) -> Callable[[int], Version]:
    """The look-up of `registered` alone: nothing is registered."""
    return partial(
        _looked_up, url, {_full_name(schema): name for name, schema in contracts.items()}
    )


def _looked_up(url: str, names: Mapping[str, str], schema_id: int) -> Version:
    with _our_errors(url), _client(url) as client:
        schema = _fetched(client, schema_id)
    name = names.get(_full_name(schema))
    if name is None:
        raise ContractError(f"schema {schema_id} is {_full_name(schema)}, no contract of ours")
    return Version(schema_id, name, schema)


def _client(url: str) -> SchemaRegistryClient:
    from confluent_kafka.schema_registry import SchemaRegistryClient

    return SchemaRegistryClient({"url": url, "timeout": TIMEOUT_S})


def _require_compatibility(client: SchemaRegistryClient, subject: str) -> None:
    from confluent_kafka.schema_registry.error import SchemaRegistryError

    try:
        current = client.get_compatibility(subject)
    except SchemaRegistryError as error:
        if error.http_status_code != 404:
            raise
        current = ""  # of the registry as a whole, which may be any
    if current != COMPATIBILITY:
        client.set_compatibility(subject, COMPATIBILITY)


def _register(client: SchemaRegistryClient, schema: Mapping[str, Any]) -> int:
    from confluent_kafka.schema_registry import Schema

    return int(client.register_schema(_full_name(schema), Schema(json.dumps(schema), "AVRO")))


def _fetched(client: SchemaRegistryClient, schema_id: int) -> dict[str, Any]:
    from confluent_kafka.schema_registry.error import SchemaRegistryError

    try:
        text = client.get_schema(schema_id).schema_str
    except SchemaRegistryError as error:
        if error.http_status_code != 404:
            raise
        raise ContractError(f"unknown schema id {schema_id}, to the registry too") from error
    try:
        schema = json.loads(text or "")
    except ValueError as error:
        raise ContractError(f"schema {schema_id} is not Avro") from error
    if not isinstance(schema, dict):
        raise ContractError(f"schema {schema_id} is no Avro record")
    return schema


def _full_name(schema: Mapping[str, Any]) -> str:
    return ".".join(part for part in (schema.get("namespace"), schema.get("name")) if part)


@contextmanager
def _our_errors(url: str) -> Iterator[None]:
    """Turn the client's errors into ours, naming the setting and hiding a password in the URL."""
    where = f"HADRON_REGISTRY: {re.sub(r'(?<=://)[^/@]*@', '**********@', url)!r}"
    try:
        import httpx2
        from confluent_kafka.schema_registry.error import SchemaRegistryError
    except ImportError as error:
        wanted = "install hadron-platform[registry]"
        raise SettingsError([f"{where}; its client is not installed: {wanted}"]) from error
    try:
        yield
    except SchemaRegistryError as error:
        answer = f"{error.http_status_code} {error.error_message or ''}".strip()
        if error.http_status_code >= 500 or error.http_status_code == 429:
            raise TransientError(f"{where} is unwell: {answer}") from error
        wanted = "a schema registry's URL whose rules and credentials let us register"
        raise SettingsError([f"{where} answers {answer}; wanted {wanted}"]) from error
    except httpx2.TransportError as error:
        raise TransientError(f"{where} does not answer: {error}") from error
    except ValueError as error:  # of a URL, or of an answer that is no JSON
        wanted = "an http:// or https:// URL of a schema registry"
        raise SettingsError([f"{where} is no schema registry; wanted {wanted}"]) from error
