"""The gate closes for code that became slower, and for nothing else."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest

from tests.benchmarks import gate
from tests.benchmarks.hot import PATHS
from tests.benchmarks.regression import Baseline, Cost, breaches, settled

BASELINE = Baseline(
    commit="57bcb9e",
    machine="2 cores",
    python="3.11",
    times_ratio=1.5,
    times_instructions=1.1,
    paths={"engine": Cost(2.0, 1_000), "chain": Cost(1.0, 500)},
)


class Machine:
    """Says the ratios of one attempt after the other, and remembers of what it was asked."""

    def __init__(self, *attempts: dict[str, float]) -> None:
        self._attempts = list(attempts)
        self.asked: list[list[str]] = []

    def __call__(self, names: Sequence[str]) -> dict[str, float]:
        self.asked.append(list(names))
        attempt = self._attempts.pop(0)
        return {name: attempt[name] for name in names}


def test_what_costs_as_much_as_before_or_a_little_more_passes() -> None:
    found = {"engine": Cost(3.0, 1_100), "chain": Cost(0.2, 1)}

    assert breaches(BASELINE, found, python="3.11") == []


def test_a_path_that_became_slower_is_named_with_what_was_seen_and_allowed() -> None:
    assert breaches(BASELINE, {"engine": Cost(3.2, 1_000)}, python="3.11") == [
        "engine: its CPU time is 3.200 of the calibration's; 3.000 is allowed,"
        " 2.000 was the baseline: 1.60 times as slow"
    ]


def test_a_path_that_takes_more_instructions_is_named_too() -> None:
    assert breaches(BASELINE, {"engine": Cost(2.0, 1_101)}, python="3.11") == [
        "engine: a run takes 1,101 instructions; 1,100 are allowed, 1,000 was the baseline:"
        " 1.10 times as many"
    ]


def test_instructions_of_another_python_are_not_compared() -> None:
    assert breaches(BASELINE, {"engine": Cost(2.0, 9_000)}, python="3.13") == []


def test_a_path_without_a_baseline_does_not_pass() -> None:
    [said] = breaches(BASELINE, {"new": Cost(0.1, 1)}, python="3.11")

    assert said == "new: the baseline does not know it; write it with --update"


def test_a_neighbour_that_is_gone_the_next_time_closes_nothing() -> None:
    machine = Machine({"engine": 9.0, "chain": 1.0}, {"engine": 2.1})

    found = settled(BASELINE, machine, ["engine", "chain"], attempts=3)

    assert found == {"engine": 2.1, "chain": 1.0}
    assert machine.asked == [["engine", "chain"], ["engine"]]


def test_code_that_became_slower_stays_slower_however_often_it_is_measured() -> None:
    machine = Machine({"engine": 4.4}, {"engine": 4.1}, {"engine": 4.6})

    found = settled(BASELINE, machine, ["engine"], attempts=3)

    assert found == {"engine": 4.1}
    assert len(breaches(BASELINE, {"engine": Cost(found["engine"], 1)}, python="3.11")) == 1


def test_the_baseline_in_the_repository_has_every_path_and_no_other() -> None:
    baseline = msgspec.json.decode(gate.FILE.read_bytes(), type=Baseline)

    assert baseline.paths.keys() == PATHS.keys()


@pytest.mark.parametrize("name", PATHS)
def test_instructions_of_a_path_are_the_same_each_time(name: str) -> None:
    PATHS[name].make()()

    assert gate.counted(PATHS[name].make()) == gate.counted(PATHS[name].make())


def test_one_more_call_for_each_event_is_counted() -> None:
    def some(times: int) -> int:
        return sum(abs(n) for n in range(times))

    assert gate.counted(lambda: some(200)) > 1.9 * gate.counted(lambda: some(100))
