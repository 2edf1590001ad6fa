"""What a signal may say."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from hadron.errors import ContractError
from hadron.strategy.strategy import Signal


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"side": "hold"}, "side is 'hold'"),
        ({"quantity": Decimal(0)}, "quantity is 0"),
        ({"quantity": Decimal("NaN")}, "quantity: not a finite number"),
        ({"quantity": Decimal("1e30")}, "quantity: number does not fit"),
        ({"confidence": Decimal("1.1")}, "confidence is 1.1"),
        ({"limit_price": Decimal(0)}, "limit_price is 0"),
        ({"evidence": {"sma": 1.5}}, "text by text"),
        ({"confidence": Decimal("Infinity")}, "not a finite number"),
    ],
)
def test_a_signal_that_could_not_be_written_is_refused(changes: dict[str, Any], named: str) -> None:
    good: dict[str, Any] = {"side": "buy", "quantity": Decimal(1), "confidence": Decimal(1)}

    with pytest.raises((ValueError, ContractError), match=named):
        Signal(**{**good, **changes})
