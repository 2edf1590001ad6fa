"""From a configuration to a strategy."""

from __future__ import annotations

import pytest

from hadron.errors import ContractError, ImpossibleTransition
from hadron.strategy.registry import build
from hadron.strategy.sma import SimpleSMA
from tests.support import a_strategy, a_trade
from tests.unit.strategy.plain import TEST_KINDS, AnyBook


@pytest.mark.parametrize(
    ("kind", "parameters", "sentence"),
    [
        ("Magic", {}, "kind is 'Magic'; wanted one of ['Crossover', 'SMACross', 'SimpleSMA']"),
        ("SimpleSMA", {"threshold_bps": "x"}, "parameter threshold_bps is 'x'; expected `int`"),
        (
            "SimpleSMA",
            {"threshold_bps": "0"},
            "parameter threshold_bps is '0'; expected `int` >= 1",
        ),
        ("SimpleSMA", {"quantity": "-1"}, "quantity is -1; wanted more than 0"),
        ("SimpleSMA", {"windo": "5"}, "unknown field `windo`"),
        ("Crossover", {"fast": "200"}, "fast is 200; wanted less than slow"),
    ],
)
def test_a_wrong_configuration_names_what_is_wrong(
    kind: str, parameters: dict[str, str], sentence: str
) -> None:
    with pytest.raises(ContractError) as caught:
        build(a_strategy(kind, parameters=parameters))

    assert sentence in str(caught.value)
    assert repr(kind) in str(caught.value)


def test_a_strategy_that_cannot_start_is_refused() -> None:
    with pytest.raises(ContractError, match="cannot be started: LookupError: no model"):
        build(a_strategy("Unstartable"), TEST_KINDS)


def test_the_version_tells_parameters_apart_and_nothing_else() -> None:
    plain = build(a_strategy()).version

    assert build(a_strategy(name="other", author="bob", instruments=["eq:A"])).version == plain
    assert build(a_strategy(parameters={"threshold_bps": "1"})).version == plain  # the default
    assert build(a_strategy(parameters={"threshold_bps": "2"})).version != plain
    assert build(a_strategy("Crossover")).version != plain


def test_it_runs_where_it_is_switched_on() -> None:
    everywhere, one = build(a_strategy()), build(a_strategy(instruments=["eq:A"]))
    off = build(a_strategy(enabled=False))

    assert [d.runs_on("eq:A") for d in (everywhere, one, off)] == [True, True, False]
    assert [d.runs_on("eq:B") for d in (everywhere, one, off)] == [True, False, False]


def test_a_resumed_strategy_has_the_state_that_was_saved() -> None:
    deployment = build(a_strategy())
    strategy = deployment.start()
    strategy.on_trade(a_trade("100.25"), AnyBook())

    resumed = deployment.resume(deployment.saved(strategy))

    assert isinstance(resumed, SimpleSMA)
    assert resumed.state == strategy.state


def test_a_state_of_another_shape_stops_it() -> None:
    with pytest.raises(ImpossibleTransition, match="stored state cannot be read"):
        build(a_strategy()).resume(b"\xa3abc")


def test_a_state_that_cannot_be_written_stops_it() -> None:
    deployment = build(a_strategy())
    strategy = deployment.start()
    strategy.state = object()

    with pytest.raises(ImpossibleTransition, match="state cannot be written"):
        deployment.saved(strategy)
