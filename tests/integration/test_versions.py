"""Decisions say which version made them, and the version what it was made of."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from hadron.strategy.facts import StrategyDeployed
from hadron.strategy.sma import SimpleSMA
from hadron.strategy.versions import version_of
from hadron.wiring.strategies import resolve
from tests.integration.platform import Platform, platform
from tests.integration.replaying import control_of, decisions, live_run, reparametrised, replayed
from tests.support import some_rules


@pytest.fixture(scope="module")
def alone() -> Iterator[Platform]:
    with platform("postgres") as made:
        live_run(made, control=(some_rules(),))
        reparametrised(made, "sma", {"threshold_bps": "3"})
        made.start("engine")
        made.wait_until_taken("engine")
        made.stop_all()
        made.start("archive")
        made.wait_until_taken("archive")
        made.stop_all()
        yield made


def told(alone: Platform, *arguments: str, code: int = 0, **more: str) -> str:
    """What `hadron strategy` said: stdout, or stderr where it is to end with an error."""
    done = subprocess.run(
        [sys.executable, "-m", "hadron", "strategy", *arguments],
        env={**alone.environment, **more},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == code, done.stderr
    return done.stdout if code == 0 else done.stderr


def test_each_version_that_decided_or_was_configured_is_on_the_log_once(alone: Platform) -> None:
    found: list[StrategyDeployed] = alone.facts("strategies")

    versions = [fact.version for fact in found]
    assert len(set(versions)) == len(versions) == 3  # crossover, and two of sma
    assert {one.version for one in decisions(alone)} < set(versions)
    assert all(version_of(fact) == fact.version for fact in found)


def test_a_decisions_version_is_found_on_the_log_and_without_it_in_the_database(
    alone: Platform,
) -> None:
    version = next(one.version for one in decisions(alone) if one.strategy == "sma")

    on_log: dict[str, Any] = json.loads(told(alone, "show", version, "--json"))
    nobody = "127.0.0.1:1"
    archived = json.loads(told(alone, "show", version[:12], "--json", HADRON_KAFKA=nobody))

    assert on_log == archived
    assert (on_log["version"], on_log["kind"]) == (version, "SimpleSMA")
    assert on_log["parameters"]["threshold_bps"] == "1"
    assert "numpy" in on_log["distributions"]
    module = SimpleSMA.__module__
    assert told(alone, "show", version, "--source", module) == on_log["modules"][module]
    assert "class SimpleSMA(" in on_log["modules"][module]


def test_the_list_says_what_would_run_here_and_that_it_ran(alone: Platform) -> None:
    listed = {one["name"]: one for one in json.loads(told(alone, "list", "--json"))}

    newest = control_of(alone).newest()
    assert listed.keys() == {"sma", "crossover"}
    for name, one in listed.items():
        assert one["version"] == resolve(name, newest).version
        assert one["ran"] is True


def test_a_version_that_nobody_knows_is_said_to_be_unknown(alone: Platform) -> None:
    assert "in the log or the database" in told(alone, "show", "0" * 64, code=1)
    assert "wanted 6 to 64 digits" in " ".join(told(alone, "show", "1-ab", code=2).split())


def test_stepped_again_decisions_have_the_same_versions(alone: Platform) -> None:
    report = replayed(alone, "--from", "beginning", "--compare")

    assert report["identical"] is True
    assert report["replayed"] == len(decisions(alone)) > 10
