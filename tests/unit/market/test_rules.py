"""Which lane ticks take, and why."""

from __future__ import annotations

from typing import Any

import pytest

from hadron.errors import ContractError
from hadron.market.rules import NO_RULES, Route, Rules
from tests.support import some_rules

ALL_ON = {"volatile_bps": 10, "volatile_window_ms": 1000}


@pytest.mark.parametrize(
    ("changes", "held", "volatile", "route"),
    [
        ({}, False, False, ("warm", "default")),
        ({"default": "cold"}, False, False, ("cold", "default")),
        ({"cold": ["eq:AAPL"]}, False, False, ("cold", "listed")),
        ({"warm": ["eq:AAPL"], "default": "cold"}, False, False, ("warm", "listed")),
        ({"fast": ["eq:AAPL"]}, False, False, ("fast", "listed")),
        ({"fast": ["eq:AAPL"], "cold": ["eq:AAPL"]}, False, False, ("fast", "listed")),
        ({"warm": ["eq:AAPL"], "cold": ["eq:AAPL"]}, False, False, ("warm", "listed")),
        ({"fast": ["eq:MSFT"]}, False, False, ("warm", "default")),
        ({"cold": ["eq:AAPL"], **ALL_ON}, False, True, ("fast", "volatile")),
        ({"cold": ["eq:AAPL"]}, False, True, ("cold", "listed")),  # volatility is off
        ({"cold": ["eq:AAPL"], **ALL_ON}, True, True, ("fast", "open_position")),
        ({"cold": ["eq:AAPL"]}, True, False, ("fast", "open_position")),
        ({"open_position_is_fast": False}, True, False, ("warm", "default")),
    ],
)
def test_the_first_rule_that_applies_gives_the_lane(
    changes: dict[str, Any], held: bool, volatile: bool, route: Route
) -> None:
    rules = Rules(some_rules(**changes))

    given = rules.route("eq:AAPL", held=held, volatile=volatile)

    assert given == route


def test_without_rules_all_is_warm_even_what_is_held() -> None:
    assert Rules(NO_RULES).route("eq:AAPL", held=True, volatile=True) == ("warm", "default")


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"default": "drop"}, "default is 'drop'"),
        ({"volatile_bps": -1}, "volatile_bps is -1"),
        ({"stale_after_ms": -1}, "stale_after_ms is -1"),
        ({"volatile_bps": 1}, "volatile_window_ms is 0"),
    ],
)
def test_rules_that_cannot_be_followed_name_the_field(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(ContractError, match=named):
        Rules(some_rules(**changes))
