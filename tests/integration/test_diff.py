"""Where two runs over one journal part: found by halves, and told down to the event."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from math import ceil, log2
from pathlib import Path
from typing import Any

import pytest

from hadron.audit.facts import StateHashed
from hadron.market.facts import TradePrinted
from hadron.topics import TICKS
from tests.integration.platform import SHARDS, Platform, kill, platform
from tests.integration.replaying import control_of, decisions, generated, live_ends
from tests.support import some_rules

ROOT = Path(__file__).parents[2]
SYMBOLS = ("AIG", "BAC", "IBM", "SPY")
EVENTS, EVERY = 9_000, 1
MODULE = "hadron.strategy.crossover"
LINE = "        if trade.price <= 0:\n"  # its averages never forget a trade


@pytest.fixture(scope="module")
def alone() -> Iterator[Platform]:
    """A live run whose engine is killed, and two that were recorded: as it is, and changed."""
    with platform(HADRON_HASH_ENTRIES=str(EVERY)) as made:
        control_of(made).append(some_rules())
        events = generated(SYMBOLS, EVENTS, random.Random(5))
        normalize, engine = made.start("normalize"), made.start("engine")
        for half in (events[: EVENTS // 2], events[EVENTS // 2 :]):
            for partition, at_ms, key, value in half:
                made.log.append("raw.massive", partition, [(key, value)], timestamp_ms=at_ms)
            made.log.flush()
            made.wait_until_taken("normalize", "engine")
            kill(engine)
            engine = made.start("engine")
        made.wait_until_taken("normalize", "engine")
        normalize.terminate()
        made.stop_all()
        told(made, "record", "same")
        told(made, "record", "changed", PYTHONPATH=str(changed(made)))
        yield made


def trades(alone: Platform) -> list[TradePrinted]:
    facts = alone.facts(*(topic.name for topic in TICKS.values()))
    return [fact for fact in facts if isinstance(fact, TradePrinted)]


def skipped(alone: Platform) -> int:
    """The raw offset of a trade in the middle of the run."""
    offsets = sorted(fact.raw_offset for fact in trades(alone))
    return offsets[len(offsets) // 2]


def changed(alone: Platform) -> Path:
    """The code with one line of Crossover changed: it passes one trade over."""
    copied = alone.directory / "changed"
    for package in ("hadron", "streams", "connectors", "schemas"):
        shutil.copytree(ROOT / package, copied / package)
    module = copied / "hadron" / "strategy" / "crossover.py"
    source = module.read_text("utf-8")
    assert source.count(LINE) == 1
    other = LINE.replace("0:", f"0 or trade.raw_offset == {skipped(alone)}:")
    module.write_text(source.replace(LINE, other), "utf-8")
    return copied


def told(alone: Platform, *arguments: str, code: int = 0, **more: str) -> Any:
    """The document of a command that must end with `code`; its sentence where that is an error."""
    done = subprocess.run(
        [sys.executable, "-m", "hadron", *arguments, "--json"],
        env={**alone.environment, **more},
        cwd=alone.directory,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout) if code in (0, 3) else done.stderr


def test_live_hashes_at_the_entries_that_were_asked_for_though_it_was_killed(
    alone: Platform,
) -> None:
    found: list[StateHashed] = alone.facts("hashes.engine")

    assert {fact.entries % EVERY for fact in found} == {0}
    assert {fact.since for fact in found} == {0}
    for partition in range(SHARDS):
        end = live_ends(alone)["journal.engine", partition]
        records = [r for r in alone.records("hashes.engine") if r.partition == partition]
        entries = sorted({int(record.key or b"") for record in records})
        assert entries == list(range(EVERY, end + 1, EVERY))


def test_a_run_with_the_same_code_is_the_same(alone: Platform) -> None:
    before = live_ends(alone)

    found = told(alone, "diff", "live", "same")

    assert found["same"] is True
    assert (found["first"], found["code"], found["notes"]) == (None, [], [])
    assert found["compared"] == sum(shard["hashes"] > 0 for shard in found["shards"])
    assert live_ends(alone) == before


@pytest.mark.parametrize("left", ["live", "same"])
def test_one_changed_line_is_found_by_halves_with_its_event(alone: Platform, left: str) -> None:
    found = told(alone, "diff", left, "changed", code=3)

    # by halves
    most = 0
    for shard in found["shards"]:
        if shard["hashes"]:
            assert shard["compared"] <= 1 + ceil(log2(shard["hashes"]))
        most = max(most, shard["hashes"])
    assert most >= 16

    # the event: the trade that the changed line passes over
    first = found["first"]
    event, offset = first["event"], skipped(alone)
    assert event["kind"] == "TradePrinted"
    assert event["fact"]["raw_offset"] == offset
    [tick] = [
        record
        for record in alone.records(event["topic"])
        if (record.partition, record.offset) == (event["partition"], event["offset"])
    ]
    assert first["partition"] == tick.partition

    # its entry, between the last equal and the first different hash
    shard = found["shards"][first["partition"]]
    assert shard["equal"] <= first["entry"] < shard["differs"] == shard["equal"] + EVERY

    # what both made of it, and why
    assert first["before"].keys() == {f"watch/{event['fact']['instrument']}"}
    assert (first["left"]["run"], first["right"]["run"]) == (left, "changed")
    assert any("crossover" in change["what"] for change in first["changes"])
    [code] = found["code"]
    assert code["what"] == f"Crossover modules {MODULE}"
    assert code["left"] == LINE.rstrip("\n")
    assert code["right"].endswith(f"or trade.raw_offset == {offset}:")


def test_shards_that_did_not_meet_the_change_are_the_same(alone: Platform) -> None:
    offset = skipped(alone)
    met = {fact.raw_partition for fact in trades(alone) if fact.raw_offset == offset}

    found = told(alone, "diff", "live", "changed", code=3)

    assert {s["partition"] for s in found["shards"] if s["differs"] is not None} == met


def test_recorded_decisions_are_lives(alone: Platform) -> None:
    live, same = decisions(alone), alone.facts("replay.same.decisions")

    assert sorted(map(repr, same)) == sorted(map(repr, live))
    assert len(same) > 20


def test_what_is_no_run_is_refused_and_a_run_can_be_dropped(alone: Platform) -> None:
    assert "RUN: 'other' has no topic replay.other." in told(alone, "diff", "live", "other", code=4)
    assert "exist; wanted a name that no run has yet" in told(alone, "record", "same", code=4)
    told(alone, "record", "gone")
    told(alone, "record", "gone", "--drop")
    told(alone, "diff", "live", "gone", code=4)
