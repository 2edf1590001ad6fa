"""Fields of binary COPY are what psycopg, an independent reader, takes them for."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from psycopg import adapters
from psycopg.adapt import Transformer
from psycopg.pq import Format

from connectors.timescale.binary import NULL, Fields, integers, price, text


def read(field: bytes, name: str) -> Any:
    """The value of a field, by psycopg's loaders."""
    assert int.from_bytes(field[:4]) == len(field) - 4
    kind = adapters.types[name.removesuffix("[]")]
    oid = kind.array_oid if name.endswith("[]") else kind.oid
    return Transformer().get_loader(oid, Format.BINARY).load(field[4:])


@given(st.integers(-(2**63), 2**63 - 1), st.integers(-3, 40))
def test_a_price_is_exact_or_null(mantissa: int, scale: int) -> None:
    field, value = price((mantissa, scale)), Decimal(mantissa).scaleb(-scale)

    if field == NULL:
        assert abs(value) >= 10**12 or value != round(value, 8)
    else:
        assert read(field, "numeric") == value


@given(st.lists(st.integers(-(2**31), 2**31 - 1)))
def test_a_list_of_integers_is_an_array(values: list[int]) -> None:
    assert read(integers(tuple(values)), "int4[]") == values


@given(st.text())
def test_text_is_utf_8(value: str) -> None:
    assert read(text(value), "text") == value


def test_fields_are_written_once_and_forgotten_when_there_are_too_many() -> None:
    written: list[int] = []

    def write(value: int) -> bytes:
        written.append(value)
        return bytes([value])

    fields = Fields(write, capacity=2)

    assert [fields[n] for n in (1, 1, 2, 2, 3, 1)] == [bytes([n]) for n in (1, 1, 2, 2, 3, 1)]
    assert written == [1, 2, 3, 1]
