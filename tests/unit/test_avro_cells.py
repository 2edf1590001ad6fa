"""Fields that are written one by one have the bytes that fastavro writes of the whole record."""

from __future__ import annotations

from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from fastavro import parse_schema, schemaless_writer
from hypothesis import given, settings
from hypothesis import strategies as st

import schemas
from hadron.avro.cells import number, segments, writer_of
from hadron.avro.shape import has_structs, plain
from hadron.avro.writing import writer
from hadron.contracts import CLASS_OF
from hadron.errors import ContractError
from tests.support import a_decision, codec

CONTRACTS = [one for one in schemas.catalogue() if not has_structs(CLASS_OF[one.name])]
LONG = st.integers(-(2**63) + 1, 2**63 - 1)
EXACT = st.builds(lambda units, scale: Decimal(units).scaleb(-scale), LONG, st.integers(0, 12))
TEXT = st.text(max_size=70)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "string": TEXT,
    "bytes": st.binary(max_size=70),
    "boolean": st.booleans(),
    "long": LONG,
    "int": st.integers(-(2**31), 2**31 - 1),
    "Exact": EXACT,
}


def values_of(kind: Any) -> st.SearchStrategy[Any]:
    """Values that a field of a type of our contracts may have."""
    match kind:
        case ["null", other]:
            return st.none() | values_of(other)
        case {"type": "map", "values": other}:
            return st.dictionaries(TEXT, values_of(other), max_size=3)
        case {"type": "array", "items": other}:
            return st.lists(values_of(other), max_size=3).map(tuple)
        case {"type": "record", "name": name}:
            return VALUES[name]
    return VALUES[kind]


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda one: f"{one.name}-{one.id}")
def test_a_record_is_as_fastavro_has_it(contract: Any) -> None:
    kind, parsed = CLASS_OF[contract.name], parse_schema(dict(contract.schema))
    write = writer(kind, contract.schema, b"head")
    fields = {one["name"]: values_of(one["type"]) for one in contract.schema["fields"]}

    @settings(max_examples=25)
    @given(st.builds(kind, **fields))
    def is_the_same(fact: Any) -> None:
        whole = BytesIO()
        schemaless_writer(whole, parsed, plain(kind)(fact))

        assert write(fact) == b"head" + whole.getvalue()

    is_the_same()


def test_a_decision_has_no_field_that_is_slow_to_write() -> None:
    [contract] = [one for one in CONTRACTS if CLASS_OF[one.name] is type(a_decision())]
    names: dict[str, Any] = {}
    parsed: Any = parse_schema(dict(contract.schema), names)

    slow = {put.__qualname__ for _, put in segments(parsed["fields"], names)}

    assert writer_of("boolean", names).__qualname__ not in slow


@pytest.mark.parametrize(("one", "other"), [("1.5", "1.50"), ("1E+2", "100"), ("0", "0.0")])
def test_equal_numbers_keep_their_own_scale(one: str, other: str) -> None:
    first, second = number(Decimal(one)), number(Decimal(other))

    assert (first == second) == (one == "1E+2")


@pytest.mark.parametrize(
    "changes",
    [
        {"quantity": Decimal("NaN")},
        {"quantity": None},
        {"quantity": Decimal(2**63)},
        {"strategy": 5},
        {"strategy": None},
        {"strategy": "\ud800"},
        {"offset": "5"},
        {"offset": 2**63},
        {"evidence": {"price": 5}},
        {"evidence": {5: "price"}},
        {"evidence": None},
    ],
    ids=str,
)
def test_what_does_not_fit_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ContractError):
        codec().encode(a_decision(**changes))
