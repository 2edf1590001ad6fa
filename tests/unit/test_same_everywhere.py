"""The same log gives the same facts whatever the hash seed, zone, locale and number of workers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

Report = dict[str, tuple[int, str]]

ELSEWHERE = {
    "1": {"PYTHONHASHSEED": "1", "TZ": "America/New_York", "LC_ALL": "tr_TR.UTF-8"},
    "2": {"PYTHONHASHSEED": "2", "TZ": "Asia/Kathmandu", "LC_ALL": "de_DE.UTF-8"},
    "4": {"PYTHONHASHSEED": "random", "TZ": "Pacific/Kiritimati", "LC_ALL": "C"},
}


def _said(*arguments: str, **environment: str) -> Report:
    ended = subprocess.run(
        [sys.executable, "-m", "tests.purity.running", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        cwd=ROOT,
    )
    assert ended.returncode == 0, ended.stderr
    report: Report = json.loads(ended.stdout)
    return report


@pytest.fixture(scope="module")
def here() -> Report:
    return _said(PYTHONHASHSEED="0", TZ="UTC", LC_ALL="C.UTF-8")


def test_there_is_something_to_compare(here: Report) -> None:
    assert min(count for count, _ in here.values()) > 50
    assert {"decisions", "intents", "orders", "positions", "state", "ticks.fast"} <= here.keys()
    assert here["orders"][0] < here["intents"][0]  # some were rejected, too


@pytest.mark.parametrize("workers", ELSEWHERE)
def test_decisions_intents_and_states_are_the_same_elsewhere(workers: str, here: Report) -> None:
    assert _said("--workers", workers, **ELSEWHERE[workers]) == here


def test_a_strategy_that_says_a_set_in_its_order_would_be_noticed() -> None:
    one, other = (_said("--superstitious", PYTHONHASHSEED=seed) for seed in ("1", "2"))

    assert one["decisions"][0] == other["decisions"][0]
    assert one["decisions"] != other["decisions"]
