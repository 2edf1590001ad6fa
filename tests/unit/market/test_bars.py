"""Bars by columns."""

from __future__ import annotations

from itertools import count
from typing import Any

import numpy as np
import pytest

from hadron.errors import ContractError
from hadron.market.bars import Bars
from tests.bars import MINUTE_NS, bars_at
from tests.support import T0_NS


def test_a_span_of_bars_is_by_when_they_began() -> None:
    bars = bars_at([1, 2, 3, 4])

    found = bars.between(T0_NS + MINUTE_NS, T0_NS + 3 * MINUTE_NS)

    assert (found.close.tolist(), found.ends_ns[0]) == ([2, 3], T0_NS + 2 * MINUTE_NS)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"low": [5, 0, 5]}, r"bar 1 at .*low, close \[6, 6, 0, 6\]; wanted prices above 0"),
        ({"high": [5, 6, 2**40]}, "bar 2 .*wanted prices above 0 and below"),
        ({"high": [5, 5, 6]}, "bar 1 .*wanted high at the highest"),
        ({"low": [6, 5, 5]}, "bar 0 .*wanted low at the lowest"),
        ({"at_ns": [T0_NS, T0_NS + 1, T0_NS + 2]}, "bar 1 .*rise by 60000000000 ns at least"),
        ({"volume": [1]}, "not of one length"),
    ],
)
def test_what_is_wrong_with_bars_is_named(changes: dict[str, Any], sentence: str) -> None:
    columns: dict[str, Any] = {
        "at_ns": [T0_NS + n * MINUTE_NS for n in range(3)],
        "open": [5, 6, 6],
        "high": [5, 6, 6],
        "low": [5, 5, 5],
        "close": [5, 6, 6],
        "volume": [1, 1, 1],
        **changes,
    }
    with pytest.raises(ContractError, match=sentence):
        Bars("eq:A", 2, MINUTE_NS, **{name: np.array(c, np.int64) for name, c in columns.items()})


def test_derived_columns_are_made_once_and_do_not_pile_up() -> None:
    bars, made = bars_at([1, 2]), count()

    for number in (*range(70), 69, 0):
        bars.derived(str(number), lambda: [float(next(made)), 1.5])

    assert next(made) == 71
