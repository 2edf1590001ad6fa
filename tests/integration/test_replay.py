"""Replays of one live run, on real Kafka with real processes."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from datetime import UTC, datetime

import psutil
import pytest

from connectors.kafka import admin as administration
from connectors.kafka.groups import delete as delete_groups
from connectors.kafka.inspection import groups, inspect
from hadron.strategy.facts import DecisionMade
from tests.integration.platform import SHARDS, Platform, platform, until
from tests.integration.replaying import (
    EVENTS,
    Report,
    commanding,
    decisions,
    live_ends,
    live_run,
    peers,
    refused,
    reparametrised,
    replayed,
    trap,
)

FROM_BEGINNING = ("--from", "beginning")


@pytest.fixture(scope="module")
def alone() -> Iterator[Platform]:
    with platform() as made:
        live_run(made)
        yield made


@pytest.fixture(autouse=True)
def nothing_is_left(alone: Platform) -> Iterator[None]:
    """No replay may leave a topic or a group, or write to a live topic."""
    before = live_ends(alone)
    yield
    ends = live_ends(alone)
    written = {
        topic for topic, partition in ends if ends[topic, partition] != before[topic, partition]
    }
    assert written <= {"control", "raw.massive"}  # by the tests themselves
    assert [name for name in inspect(alone.admin).topics if name.startswith("replay.")] == []
    assert [name for name in groups(alone.admin) if name.startswith("replay.")] == []
    assert list(alone.directory.glob("replay.*")) == []


def place_of(decision: DecisionMade) -> tuple[str, int]:
    return decision.raw_topic, decision.raw_partition


def all_equal(report: Report, count: int) -> None:
    found = report["decisions"]
    assert (found["live"], found["replayed"], found["equal"]) == (count, count, count)
    assert report["holds"] is True


def test_a_replay_from_the_beginning_decides_the_same(alone: Platform) -> None:
    before = live_ends(alone)

    report = replayed(alone, *FROM_BEGINNING)

    assert live_ends(alone) == before
    made = len(decisions(alone))
    assert made > 10
    all_equal(report, made)
    assert report["raw"] == {"read": EVENTS, "compared": EVENTS}


def test_a_paced_replay_takes_its_time_and_decides_the_same_of_the_same_events(
    alone: Platform,
) -> None:
    half = {place: end // 2 for place, end in live_ends(alone).items() if place[0] == "raw.massive"}
    to = ",".join(f"{topic}/{partition}={end}" for (topic, partition), end in half.items())

    report = replayed(alone, *FROM_BEGINNING, "--to", to, "--speed", "10x")

    first_half = [one for one in decisions(alone) if one.raw_offset < half[place_of(one)]]
    all_equal(report, len(first_half))
    assert report["raw"]["read"] == sum(half.values())
    assert report["elapsed_s"] > EVENTS / 2 / 100 / 10


def test_a_replay_from_offsets_compares_what_lies_behind_them(alone: Platform) -> None:
    start = {
        place: end // 2 for place, end in live_ends(alone).items() if place[0] == "raw.massive"
    }
    asked = ",".join(
        f"{topic}/{partition}={offset}" for (topic, partition), offset in start.items()
    )

    report = replayed(alone, "--from", asked)

    second_half = [one for one in decisions(alone) if one.raw_offset >= start[place_of(one)]]
    all_equal(report, len(second_half))
    assert report["raw"]["read"] == EVENTS  # the warm-up is longer than all there is
    assert not any("began without" in note for note in report["notes"])


def test_a_replay_from_a_time_compares_what_was_received_since(alone: Platform) -> None:
    received = sorted(record.timestamp_ms for record in alone.records("raw.massive"))
    middle_ms = received[EVENTS // 2]
    moment = datetime.fromtimestamp(middle_ms / 1000, UTC).isoformat()

    report = replayed(alone, "--from", moment, "--warm-up", "10", "--speed", "100x", code=3)

    since = [one for one in decisions(alone) if one.seen_ns >= middle_ms * 1_000_000]
    assert report["decisions"]["live"] == len(since) > 0
    assert report["raw"]["compared"] == sum(at_ms >= middle_ms for at_ms in received)
    assert report["raw"]["compared"] < report["raw"]["read"] < EVENTS
    assert any("began without" in note for note in report["notes"])
    # Averages of two hundred trades, begun ten seconds before, are not yet the same.
    changed = [one["decision"] for one in report["different"]]
    alone_in_one = [*report["only_live"], *report["only_replayed"]]
    assert {one["strategy"] for one in (*changed, *alone_in_one)} == {"crossover"}
    assert report["decisions"]["equal"] > 0


def test_a_strategy_that_was_changed_since_decides_otherwise(alone: Platform) -> None:
    reparametrised(alone, "sma", {"quantity": "7"})
    try:
        report = replayed(alone, *FROM_BEGINNING, code=3)
    finally:
        reparametrised(alone, "sma", {})

    [changed] = {one["decision"]["strategy"] for one in report["different"]}
    fields = {change["field"] for one in report["different"] for change in one["changes"]}
    assert (changed, fields) == ("sma", {"version", "quantity"})
    assert report["decisions"]["different"] == sum(
        one.strategy == "sma" for one in decisions(alone)
    )
    assert report["decisions"]["only_live"] == report["decisions"]["only_replayed"] == 0
    assert any("strategy/sma became version 2" in note for note in report["notes"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--speed", "10x"), "all decisions are equal"),
        (("--compare", "--speed", "10x", "--workers", "2"), "identical "),
    ],
    ids=["raw", "journal"],
)
def test_a_replay_talks_to_nobody_but_kafka(
    alone: Platform, arguments: tuple[str, ...], said: str
) -> None:
    kafka = int(alone.settings.kafka.rpartition(":")[2])
    seen: set[int] = set()
    with trap() as (listening, port):
        elsewhere = {
            "HADRON_MASSIVE_KEY": "massive-secret",
            "HADRON_MASSIVE_URL": f"ws://127.0.0.1:{port}/stocks",
            "HADRON_COINBASE_URL": f"ws://127.0.0.1:{port}",
            "HADRON_SYMBOLS": "AAPL",
            "HADRON_DATABASE": f"postgresql://u:p@127.0.0.1:{port}/h",
            "HADRON_REDIS": f"redis://127.0.0.1:{port}/0",
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}",
        }
        with commanding(alone, "replay", *FROM_BEGINNING, *arguments, **elsewhere) as child:
            process = psutil.Process(child.pid)
            while child.poll() is None:
                seen |= peers(process)
            out, told = child.communicate(timeout=60)

        with pytest.raises(BlockingIOError):
            listening.accept()

    assert child.returncode == 0, told
    assert said in out
    assert seen == {kafka}


def test_processes_that_are_killed_go_on_where_they_were(alone: Platform) -> None:
    with commanding(alone, "replay", *FROM_BEGINNING, "--speed", "10x", "--run", "killed") as child:
        decided = [("replay.killed.decisions", partition) for partition in range(SHARDS)]
        until(lambda: "replay.killed.decisions" in inspect(alone.admin).topics, "topics are there")
        until(lambda: sum(alone.log.ends(decided).values()) > 3, "decisions are made")

        for one in psutil.Process(child.pid).children(recursive=True):
            one.kill()

        out, told = child.communicate(timeout=120)
    assert child.returncode == 0, told
    assert "all decisions are equal" in out


def test_ctrl_c_leaves_nothing_behind(alone: Platform) -> None:
    with commanding(alone, "replay", *FROM_BEGINNING, "--speed", "1x", "--run", "stopped") as child:
        process = psutil.Process(child.pid)
        group = "replay.stopped.hadron.normalize"
        until(lambda: administration.members(alone.admin, group) == 1, "normalize runs")
        children = process.children(recursive=True)

        child.send_signal(signal.SIGINT)

        child.communicate(timeout=60)
    assert child.returncode == 130
    assert len(children) >= 2
    assert not any(one.is_running() for one in children)


def test_topics_are_kept_where_that_is_asked_for_and_their_name_is_then_taken(
    alone: Platform,
) -> None:
    report = replayed(alone, *FROM_BEGINNING, "--run", "kept", "--keep")
    try:
        places = [("replay.kept.decisions", partition) for partition in range(SHARDS)]
        assert set(report["kept"]) <= inspect(alone.admin).topics.keys()
        assert sum(alone.log.ends(places).values()) == len(decisions(alone))

        code, told = refused(alone, *FROM_BEGINNING, "--run", "kept")

        assert code == 4
        assert "--run: replay.kept." in told
        assert "replay.kept.decisions" in told
    finally:
        administration.delete(alone.admin, report["kept"])
        kept = [f"replay.kept.hadron.{process}" for process in ("normalize", "engine")]
        delete_groups(alone.admin, kept)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--from", "raw.massive/0=99999"), 4, "--from: raw.massive/0=99999; wanted 0 to "),
        (("--from", "raw.massive/9=0"), 4, "partition 0 to 3"),
        (("--from", "2999-01-01"), 4, "--from, --to: no raw record lies between them"),
    ],
)
def test_what_cannot_be_replayed_is_refused(
    alone: Platform, arguments: tuple[str, ...], code: int, said: str
) -> None:
    ended, told = refused(alone, *arguments)

    assert ended == code
    assert said in " ".join(told.split())


def test_what_live_has_not_taken_is_told(alone: Platform) -> None:
    # given events that came in after live was stopped; the last test, as they stay
    alone.produce_trades(40, first=1_000_000, symbols=1)

    report = replayed(alone, *FROM_BEGINNING, code=3)

    assert report["decisions"]["only_replayed"] > 0
    assert report["decisions"]["different"] == report["decisions"]["only_live"] == 0
    assert any("have not taken 40 records" in note for note in report["notes"])
