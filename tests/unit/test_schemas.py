"""Contracts: the catalogue holds every version, they stay compatible, and classes fit them."""

from __future__ import annotations

import typing
from io import BytesIO
from itertools import pairwise
from typing import Any

import pytest
from fastavro import parse_schema, schemaless_reader, schemaless_writer
from fastavro.utils import generate_one

import schemas
from hadron.contracts import CLASS_OF, FACTS, contract_name


def versions(name: str) -> list[schemas.Contract]:
    return [contract for contract in schemas.catalogue() if contract.name == name]


def test_the_catalogue_is_up_to_date() -> None:
    from schemas.__main__ import missing

    assert missing(schemas.catalogue()) == [], "run python -m schemas"


def test_ids_are_unique_and_never_change_their_schema() -> None:
    ids = [contract.id for contract in schemas.catalogue()]

    assert ids == list(range(1, len(ids) + 1))
    for contract in schemas.catalogue():
        assert schemas.fingerprint(contract.schema) == contract.fingerprint


def test_every_contract_has_a_class_and_every_class_a_contract() -> None:
    assert sorted(CLASS_OF) == schemas.names()


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: str(fact.__name__))
def test_a_class_has_the_fields_of_its_contract_in_order(fact: type[Any]) -> None:
    schema = schemas.load(contract_name(fact))

    assert [field["name"] for field in schema["fields"]] == list(typing.get_type_hints(fact))
    assert schema["name"] == fact.__name__


@pytest.mark.parametrize("name", schemas.names())
def test_each_version_reads_the_one_before_and_the_one_after(name: str) -> None:
    """FULL_TRANSITIVE: any version reads any other, tried with generated records."""
    known = versions(name)
    for one, other in [*pairwise(known), *((b, a) for a, b in pairwise(known))]:
        writer, reader = parse_schema(dict(one.schema)), parse_schema(dict(other.schema))
        body = BytesIO()
        schemaless_writer(body, writer, generate_one(writer))
        body.seek(0)
        schemaless_reader(body, writer, reader)


@pytest.mark.parametrize("contract", schemas.catalogue(), ids=lambda c: f"{c.name}-{c.version}")
def test_every_version_ever_released_is_still_read_by_the_newest(contract: Any) -> None:
    writer = parse_schema(dict(contract.schema))
    body = BytesIO()
    schemaless_writer(body, writer, generate_one(writer))
    body.seek(0)

    assert schemaless_reader(body, writer, parse_schema(schemas.load(contract.name)))
