"""A version is a class again, made from the sources that it names."""

from __future__ import annotations

import sys

import msgspec
import pytest

from hadron.errors import HadronError
from hadron.strategy.facts import StrategyDeployed
from hadron.strategy.registry import KINDS, build
from hadron.strategy.sma import SimpleSMA
from hadron.strategy.versions import version_of
from hadron.wiring.loading import code_in, loaded
from hadron.wiring.strategies import installed
from tests.support import a_strategy, a_trade
from tests.unit.strategy.plain import AnyBook

SMA = "hadron.strategy.sma"


def changed(**modules: str) -> StrategyDeployed:
    made_of = build(a_strategy(), KINDS, installed()).made_of
    made_of = msgspec.structs.replace(made_of, modules={**made_of.modules, **modules})
    return msgspec.structs.replace(made_of, version=version_of(made_of))


def test_what_is_installed_is_not_made_again() -> None:
    assert loaded(changed()) is SimpleSMA


def test_a_changed_line_runs_and_what_is_installed_does_not_change() -> None:
    source = changed().modules[SMA]
    made_of = changed(**{SMA: source.replace("WINDOW = 5", "WINDOW = 2")})

    kind = loaded(made_of)
    found = build(a_strategy(), {"SimpleSMA": kind}, {"SimpleSMA": code_in(made_of)})

    assert kind is not SimpleSMA is sys.modules[SMA].SimpleSMA
    assert loaded(made_of) is kind
    assert found.version == made_of.version
    one, other = found.start(), build(a_strategy()).start()
    for price in ("100", "102"):
        said = [strategy.on_trade(a_trade(price), AnyBook()) for strategy in (one, other)]
    assert [one is None for one in said] == [False, True]
    resumed = found.resume(found.saved(one))
    assert resumed.state == one.state


def test_modules_that_are_not_installed_are_imported_from_their_sources() -> None:
    sources = {
        "gone_house.follow": "from .levels import LEVEL\nclass Follow:\n    level = LEVEL\n",
        "gone_house.levels": "LEVEL = 7\n",
        "gone_house": "",
    }
    made_of = StrategyDeployed(
        "ab" * 32, "Follow", "gone_house.follow:Follow", {}, sources, {}, {}, 0
    )

    assert loaded(made_of).level == 7  # type: ignore[attr-defined]


def test_sources_that_cannot_be_run_are_named() -> None:
    with pytest.raises(HadronError, match="cannot be run here: ZeroDivisionError"):
        loaded(changed(**{SMA: "1 / 0\n"}))
