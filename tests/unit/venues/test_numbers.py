"""Numbers of venues: exact, and nothing else is one."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hadron.errors import ContractError
from hadron.values import number
from hadron.venues.numbers import number_of, same_scale


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=6))
def test_a_decimal_comes_back_digit_for_digit(price: Decimal) -> None:
    text = format(price, "f")

    assert str(number(*number_of(text.encode()))) == str(Decimal(text)).replace(
        "-0.000000", "0.000000"
    )


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (b"0", (0, 0)),
        (b"1.50", (150, 2)),
        (b"1e3", (1000, 0)),
        (b"1.5E-3", (15, 4)),
        (b"-2.5", (-25, 1)),
        (b"0.1", (1, 1)),
    ],
)
def test_numbers_are_read_as_they_are_written(text: bytes, parts: tuple[int, int]) -> None:
    assert number_of(text) == parts


@pytest.mark.parametrize(
    "text",
    [
        *(b"", b"null", b'"1"', b"1_0", b" 1", b"1 ", b"+1", b".5", b"1.", b"NaN", b"Infinity"),
        *("٣".encode(), b"0x1", b"1e-400", b"1e99999", b"9" * 65, b"9223372036854775808"),
    ],
)
def test_what_is_no_number_that_fits_is_refused(text: bytes) -> None:
    with pytest.raises(ContractError):
        number_of(text)


def test_two_numbers_meet_at_the_larger_scale() -> None:
    assert same_scale((15, 1), (149, 2)) == (150, 149, 2)


def test_a_zero_takes_any_scale() -> None:
    assert same_scale((0, 5), (15, 1)) == (0, 15, 1)


def test_a_number_that_does_not_fit_at_the_other_scale_is_refused() -> None:
    with pytest.raises(ContractError, match="64 bits"):
        same_scale((2**62, 0), (1, 18))
