"""Numbers are exact from text to wire and back."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hadron.errors import ContractError
from hadron.values import digits, exact, number, parts

NUMBERS = st.decimals(
    allow_nan=False, allow_infinity=False, places=6, min_value=-(10**12), max_value=10**12
)


@given(NUMBERS)
def test_a_number_survives_text_and_wire(value: Decimal) -> None:
    assert number(*exact(str(value))) == value
    assert number(*parts(value)) == value


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("1.50", (150, 2)),
        ("-0.01", (-1, 2)),
        ("100", (100, 0)),
        (".5", (5, 1)),
        ("1e3", (1000, 0)),
        ("1.5E-3", (15, 4)),
        ("0", (0, 0)),
    ],
)
def test_text_becomes_mantissa_and_scale(text: str, wanted: tuple[int, int]) -> None:
    assert exact(text) == wanted


@pytest.mark.parametrize("text", ["", "abc", "1.2.3", "nan", "inf", "1.-5", "99999999999999999999"])
def test_what_is_no_exact_number_is_refused(text: str) -> None:
    with pytest.raises(ContractError, match="number"):
        exact(text)


@pytest.mark.parametrize(
    ("number", "shown"), [("1E+3", "1000"), ("1.50", "1.5"), ("100", "100"), ("0E-8", "0")]
)
def test_numbers_are_shown_in_plain_digits(number: str, shown: str) -> None:
    assert digits(Decimal(number)) == shown
