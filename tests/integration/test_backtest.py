"""Backtests of one live run: from the log, an export and the archive, the same is decided."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hadron.audit.names import Name, name_of
from hadron.cli.defaults import limits
from hadron.desk.facts import IntentApproved
from hadron.strategy.facts import DecisionMade
from tests.integration.platform import Platform, platform
from tests.integration.replaying import EVENTS, decisions, live_ends, live_run
from tests.support import codec, some_rules

# A lane that depended on what is held would depend on how soon it was known, and so would names.
RULES = some_rules(open_position_is_fast=False)
WIDE = {"position": Decimal(10**6), "notional": Decimal(10**8), "exposure": Decimal(10**9)}
LIMITS = msgspec.structs.replace(limits(1), author="ann", **WIDE)


@pytest.fixture(scope="module")
def alone() -> Iterator[Platform]:
    with platform("postgres") as made:
        live_run(made, "desk", "gateway", "portfolio", "archive", control=(RULES, LIMITS))
        yield made


def hadron(alone: Platform, *arguments: str, code: int = 0) -> str:
    """What a command prints."""
    done = subprocess.run(
        [sys.executable, "-m", "hadron", *arguments],
        env=alone.environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == code, done.stderr
    return done.stdout


def backtested(alone: Platform, *arguments: str) -> tuple[dict[str, Any], Any]:
    """The document, and the whole result."""
    out = alone.directory / "result.json"
    document = json.loads(hadron(alone, "backtest", *arguments, "--json", "--out", str(out)))
    whole = json.loads(out.read_bytes())
    return document, whole


def by_name(facts: list[DecisionMade]) -> dict[Name, bytes]:
    """Each decision's bytes."""
    return {name_of(fact): codec().encode(fact) for fact in facts}


def decided(whole: Any) -> dict[Name, bytes]:
    """The decisions of a result that was written as JSON."""
    return by_name([msgspec.convert(one, DecisionMade) for one in whole["decisions"]])


@pytest.mark.parametrize("source", ["raw", "ticks"])
def test_a_backtest_of_the_log_decides_byte_for_byte_what_live_decided(
    alone: Platform, source: str
) -> None:
    before = live_ends(alone)

    document, whole = backtested(alone, "live", "--topic", source)

    live = by_name(decisions(alone))
    assert len(live) == len(decisions(alone)) > 10
    assert decided(whole) == live
    assert document["counts"]["ticks"] == EVENTS
    assert live_ends(alone) == before  # nothing was written


def test_what_became_of_each_decision_is_what_the_live_simulation_made_of_it(
    alone: Platform,
) -> None:
    _, whole = backtested(alone, "live", "--topic", "raw")

    made = {
        f"decisions/{record.partition}/{record.offset}/0": name_of(codec().decode(record.value))
        for record in alone.records("decisions")
        if record.value is not None
    }
    live = {
        made[fact.verdict]: (fact.side, fact.quantity, fact.price, fact.price_from)
        for fact in alone.facts("orders")
    }
    assert all(isinstance(fact, IntentApproved) for fact in alone.facts("intents"))
    mine = {order["order"]: order["verdict"] for order in whole["orders"]}
    names = [name_of(msgspec.convert(one, DecisionMade)) for one in whole["decisions"]]
    assert {
        names[int(mine[fill["order"]].split("/")[2])]: (
            fill["side"],
            Decimal(fill["quantity"]),
            Decimal(fill["price"]),
            fill["price_from"],
        )
        for fill in whole["fills"]
    } == live


def test_an_export_and_the_archive_lead_to_the_same(alone: Platform, tmp_path: Path) -> None:
    export = str(tmp_path / "export")
    hadron(alone, "archive", "export", "--to", export)
    chosen = ("SimpleSMA", "--instruments", "eq:AIG")

    results = [
        backtested(alone, *chosen, *source)[0]["sha256"]
        for source in (
            ("--topic", "ticks"),
            ("--parquet", export, "--of", "ticks"),
            ("--table", "ticks"),
        )
    ]
    raw = [
        backtested(alone, *chosen, *source)[0]
        for source in (("--topic", "raw"), ("--parquet", export), ("--table", "raw"))
    ]

    assert raw[0]["decisions"] > 0
    assert len(set(results)) == 1
    assert len({one["sha256"] for one in raw}) == 1
    assert raw[0]["run"]["strategies"].keys() == {"SimpleSMA"}


def test_a_window_of_time_leaves_out_what_was_received_outside(alone: Platform) -> None:
    stamps = sorted(record.timestamp_ms for record in alone.records("raw.massive"))
    moment = datetime.fromtimestamp(stamps[EVENTS // 2] / 1000, UTC).isoformat()

    first = backtested(alone, "live", "--topic", "raw", "--to", moment)[0]["counts"]["raw"]
    second = backtested(alone, "live", "--topic", "raw", "--from", moment)[0]["counts"]["raw"]

    assert first == sum(stamp < stamps[EVENTS // 2] for stamp in stamps)
    assert first + second == EVENTS


def test_the_strategies_that_live_has_are_those_that_are_run(alone: Platform) -> None:
    document, _ = backtested(alone, "live", "--topic", "ticks")

    assert document["run"]["strategies"].keys() == {"sma", "crossover"}
