"""Crashes, rebalances, repetitions and delays lose, double and change nothing; bugs would show."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest

from tests.simulation.bugs import BUGS
from tests.simulation.laws import is_known
from tests.simulation.schedule import drawn
from tests.simulation.search import prepared, search, tried

ROOT = Path(__file__).parents[2]
SCHEDULES = range(1, 26)
# Where to look first: the seed that found it when it was last looked for. After a change of what
# runs another may; so many more are tried then.
AT = {
    "forwards_an_intent_that_was_not_approved": 3,
    "forgets_what_is_written_already": 4,
    "restores_positions_one_too_early": 4,
    "takes_the_ends_of_outputs_too_late": 6,
    "forgets_what_is_written_at_the_next_checkpoint": 8,
    "seeks_what_is_being_taken_away": 11,
    "answers_again_from_what_was_committed": 13,
    "forgets_that_trading_is_halted": 15,
    "drops_what_waits_when_partitions_are_revoked": 17,
    "keeps_shards_that_another_stepped_meanwhile": 28,
    "takes_a_mark_on_one_partition_for_one_on_all": 72,
    "writes_a_mark_again_where_it_lies": 72,
    "acknowledges_a_fetch_with_its_first_slice": 253,
}
MOST = 100


@pytest.fixture(scope="module", autouse=True)
def _prepared() -> Iterator[None]:
    with prepared():
        yield


@pytest.mark.parametrize("seed", SCHEDULES)
def test_no_law_is_broken_and_the_outcome_is_that_of_an_undisturbed_run(seed: int) -> None:
    _, problems = tried(seed)

    unknown = [problem for problem in problems if not is_known(problem)]
    assert unknown == [], f"python -m tests.simulation --seed {seed}"


def test_the_schedules_hold_every_kind_of_fault() -> None:
    kinds = {fault.kind for seed in SCHEDULES for fault in drawn(seed).faults}

    assert kinds == {"kill", "catch", "stop", "join", "flap", "away", "freeze", "repeat", "compact"}


@pytest.mark.parametrize("bug", BUGS)
def test_a_planted_bug_is_found(bug: str) -> None:
    first = AT.get(bug, 1)
    with pytest.MonkeyPatch.context() as patch:
        BUGS[bug](patch)

        found = search(chain([first], range(1, MOST)))

    assert found is not None
    print(f"{bug}: seed {found.seed}: {found.problems[0]}")


def test_a_seed_replays_exactly_in_another_process_with_another_hash_seed() -> None:
    said = {
        subprocess.run(
            [sys.executable, "-m", "tests.simulation", "--seed", "9"],
            env={**os.environ, "PYTHONHASHSEED": seed, "TERM": "dumb"},
            cwd=ROOT,
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }

    [trace] = said
    assert len(trace.splitlines()) > 300
