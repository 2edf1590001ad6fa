"""Numbers that are read by columns are those that are read one by one, or not believed."""

from __future__ import annotations

import struct
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg import adapters
from psycopg.adapt import PyFormat

from connectors.timescale.binary import NULL, sized
from connectors.timescale.verifying import numerics
from connectors.timescale.verifying.longs import Longs, longs_of_rows
from hadron.avro.longs import groups

longs = st.integers(-(2**63), 2**63 - 1)
rows = st.integers(1, 5).flatmap(
    lambda width: st.lists(st.lists(longs, min_size=width, max_size=width), min_size=1, max_size=9)
)
# What a column could hold, also after somebody changed its type.
numbers = st.one_of(
    st.builds(lambda mantissa, scale: Decimal(mantissa).scaleb(-scale), longs, st.integers(0, 12)),
    st.decimals(allow_nan=True, allow_infinity=True, places=8),
)


def cell(number: Decimal | None) -> bytes:
    """A field of binary COPY, by psycopg's dumper."""
    if number is None:
        return NULL
    dumper = adapters.get_dumper(Decimal, PyFormat.BINARY)(Decimal)
    return sized(bytes(dumper.dump(number) or b""))


@given(rows)
def test_rows_of_longs_are_as_avro_has_them(some: list[list[int]]) -> None:
    written = longs_of_rows(np.array(some, np.int64))

    assert written == groups([one for row in some for one in row], len(some[0]))


def test_no_rows_are_no_bytes() -> None:
    assert longs_of_rows(np.empty((0, 4), np.int64)) == []


@given(st.lists(st.tuples(numbers, st.integers(-1, 9)), min_size=1, max_size=9))
def test_a_number_is_exact_or_not_believed(some: list[tuple[Decimal, int]]) -> None:
    rows = [b"head" + cell(number) + NULL + b"text" for number, _ in some]
    data, starts, ends = joined(rows)

    found = numerics.cells(data, starts + 4, ends, 2)
    values, exact = numerics.units(data, found.at[0], np.array([scale for _, scale in some]))

    assert all(found.sound <= found.null[:, 1])
    for (number, scale), value, after, sound in zip(
        some,
        values.tolist(),
        (found.after - starts).tolist(),
        found.sound & ~found.null[:, 0] & exact,
        strict=True,
    ):
        if sound:
            assert number * 10**scale == value
            assert after == len(b"head" + cell(number) + NULL)
        else:
            assert not _plain(number, scale)


def joined(rows: list[bytes]) -> tuple[bytes, Longs, Longs]:
    """Rows behind each other, where each begins and ends, and enough behind the last."""
    ends = np.cumsum([len(row) for row in rows])
    return b"".join(rows) + bytes(256), np.concatenate(([0], ends[:-1])), ends


def _plain(number: Decimal, scale: int) -> bool:
    """Whether it is what is stored nearly always: whole units, below ten billion."""
    if not number.is_finite() or not 0 <= scale <= 8:
        return False
    units = number.scaleb(scale)
    return units == int(units) and abs(number) < 10**8 and abs(units) < 10**10


@given(st.binary(max_size=60))
def test_what_is_behind_a_row_is_no_part_of_it(noise: bytes) -> None:
    data, starts, ends = joined([noise, cell(Decimal("1.50")), noise])

    found = numerics.cells(data, starts, ends, 1)

    assert found.sound[1]
    assert not any(found.sound[[0, 2]]) or len(noise) >= 4
    assert all((found.after <= ends) | ~found.sound)


def test_a_size_that_no_number_has_is_not_believed() -> None:
    odd = struct.pack(">ihhhhh", 10, 1, 0, 0, 8, 7)
    wrong = [
        struct.pack(">ihhhhh", 11, 1, 0, 0, 8, 7),  # of another size
        struct.pack(">ihhhhh", 10, 2, 0, 0, 8, 7),  # of other groups
        struct.pack(">ihhHhh", 10, 1, 0, 0xC000, 8, 7),  # NaN
        struct.pack(">ihhhhh", 10, 1, 30, 0, 8, 7),  # too large for a long
    ]
    data, starts, ends = joined([odd, *wrong])

    value, exact = numerics.units(data, numerics.cells(data, starts, ends, 1).at[0], ends * 0)

    assert (value[0], exact.tolist()) == (7, [True, False, False, False, False])


@pytest.mark.parametrize("size", [-(2**31), -2, 0, 7, 19, 2**31 - 1])
def test_nobody_follows_a_size_that_no_number_has(size: int) -> None:
    data, starts, ends = joined([struct.pack(">i", size) + bytes(30)])

    found = numerics.cells(data, starts, ends, 6)

    assert not found.sound[0]
    assert found.after[0] < len(data)
