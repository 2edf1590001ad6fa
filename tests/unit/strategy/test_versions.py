"""The version of a strategy is what it is made of, and nothing else."""

from __future__ import annotations

import msgspec
import pytest

from hadron.strategy.registry import KINDS, build
from hadron.strategy.versions import Code, version_of
from tests.support import a_strategy

CODE = Code(
    entry="a.b:C",
    modules={"a": "", "a.b": "x = 1\n"},
    models={"model.bin": "00"},
    distributions={"numpy": "2.0", "python": "3.11"},
)


def version(code: Code = CODE, **parameters: str) -> str:
    return build(a_strategy(parameters=parameters), KINDS, {"SimpleSMA": code}).version


@pytest.mark.parametrize(
    "change",
    [
        {"entry": "a.b:D"},
        {"modules": {"a.b": "x = 2\n", "a": ""}},
        {"modules": {"a.b": "x = 1\n"}},
        {"models": {"model.bin": "01"}},
        {"distributions": {"numpy": "2.1", "python": "3.11"}},
        {"distributions": {"numpy": "2.0", "python": "3.12"}},
    ],
)
def test_whatever_it_is_made_of_changes_it(change: dict[str, object]) -> None:
    assert version(msgspec.structs.replace(CODE, **change)) != version()


def test_one_parameter_changes_it_and_one_that_is_the_default_does_not() -> None:
    assert version(threshold_bps="2") != version()
    assert version(threshold_bps="1") == version()


def test_the_order_in_which_things_were_found_does_not_change_it() -> None:
    turned = Code(
        entry=CODE.entry,
        modules=dict(sorted(CODE.modules.items(), reverse=True)),
        models=CODE.models,
        distributions=dict(sorted(CODE.distributions.items(), reverse=True)),
    )

    assert version(turned) == version()


def test_it_is_the_hash_of_what_the_fact_says_and_so_anybody_can_check_it() -> None:
    made_of = build(a_strategy(), KINDS, {"SimpleSMA": CODE}).made_of

    assert version_of(made_of) == made_of.version
    # If this is another, every strategy has another version though nothing changed.
    assert made_of.version.startswith("e361d728ece227d6")
    assert version_of(msgspec.structs.replace(made_of, at_ns=0)) == made_of.version
    assert made_of.parameters == {"quantity": "100", "threshold_bps": "1"}
