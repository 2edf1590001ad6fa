"""The contracts: one Avro record a file, and the catalogue of every version with its id."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from importlib import resources
from typing import Any, NamedTuple

from fastavro.schema import to_parsing_canonical_form


class Contract(NamedTuple):
    """One version of one contract. `id` is what stands on the wire."""

    id: int
    name: str
    version: int
    fingerprint: str
    schema: dict[str, Any]


def names() -> list[str]:
    """The contracts that exist now, sorted."""
    folder = resources.files("schemas") / "avro"
    return sorted(p.name[: -len(".avsc")] for p in folder.iterdir() if p.name.endswith(".avsc"))


@cache
def load(name: str) -> dict[str, Any]:
    """The newest schema of a contract. Raise FileNotFoundError if there is none of that name."""
    text = (resources.files("schemas") / "avro" / f"{name}.avsc").read_text("utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def fingerprint(schema: dict[str, Any]) -> str:
    """SHA-256 of the Parsing Canonical Form (Avro specification, "Schema Fingerprints")."""
    return hashlib.sha256(to_parsing_canonical_form(schema).encode()).hexdigest()


def catalogue() -> list[Contract]:
    """Every version that was ever released, by id."""
    text = (resources.files("schemas") / "catalogue.json").read_text("utf-8")
    return [Contract(**entry) for entry in json.loads(text)]
