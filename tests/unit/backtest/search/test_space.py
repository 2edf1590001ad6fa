"""Which sets of parameters are tried."""

from __future__ import annotations

import pytest

from hadron.backtest.search.space import axis, candidates
from hadron.errors import SettingsError
from hadron.strategy.sma_cross import SMACross

AXES = {"fast": ["1", "2", "3"], "slow": ["2", "3", "4"]}
PINNED = [("29", "55"), ("10", "46"), ("14", "51")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("fast=5:15:5", ("fast", ["5", "10", "15"])),
        ("fast=5:14:5", ("fast", ["5", "10"])),
        ("level=0.1:0.3:0.1", ("level", ["0.1", "0.2", "0.3"])),
        ("fast=5,8, 13", ("fast", ["5", "8", "13"])),
    ],
)
def test_both_ends_of_a_range_are_tried(text: str, expected: tuple[str, list[str]]) -> None:
    assert axis(text) == expected


@pytest.mark.parametrize(
    "text", ["fast", "=5", "fast=", "fast=5:1:1", "fast=1:5:0", "fast=1:2", "a=x:y:z", "a=1:5:-1"]
)
def test_what_is_no_range_is_named(text: str) -> None:
    with pytest.raises(SettingsError, match=f"--param: '{text}'; wanted name=first:last:step"):
        axis(text)


def test_what_the_strategy_refuses_is_left_out() -> None:
    found = candidates(SMACross, AXES, fixed={"quantity": "7"})

    pairs = [(one.values["fast"], one.values["slow"]) for one in found]
    assert pairs == [("1", "2"), ("1", "3"), ("1", "4"), ("2", "3"), ("2", "4"), ("3", "4")]
    assert {str(one.parameters.quantity) for one in found} == {"7"}


def test_draws_are_different_and_the_same_for_the_same_seed() -> None:
    axes = {"fast": [str(n) for n in range(1, 30)], "slow": [str(n) for n in range(30, 60)]}

    first, again = (candidates(SMACross, axes, draws=50, seed=3) for _ in range(2))
    other = candidates(SMACross, axes, draws=50, seed=4)

    assert first == again != other
    assert len({tuple(one.values.values()) for one in first}) == 50
    # Written down once: a seed must mean the same next year.
    assert [tuple(one.values.values()) for one in first[:3]] == PINNED


def test_more_draws_than_there_are_combinations_are_all_of_them() -> None:
    drawn = candidates(SMACross, AXES, draws=1000)

    assert sorted(map(str, drawn)) == sorted(map(str, candidates(SMACross, AXES)))


@pytest.mark.parametrize(
    ("axes", "sentence"),
    [
        ({"speed": ["1"]}, "SMACross has no 'speed'; wanted one of fast, slow, quantity"),
        ({"fast": ["9"], "slow": ["2"]}, "SMACross takes none of these: fast is 9"),
        ({"fast": ["1"] * 2000, "slow": ["2"] * 2000}, "4,000,000 combinations; wanted 1,000,000"),
    ],
)
def test_a_space_that_cannot_be_searched_is_named(
    axes: dict[str, list[str]], sentence: str
) -> None:
    with pytest.raises(SettingsError, match=sentence):
        candidates(SMACross, axes)
