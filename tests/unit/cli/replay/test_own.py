"""What a replay has to itself."""

from __future__ import annotations

from hadron.cli.replay.own import declared
from hadron.topics import paced_names, replay_names

OWN = {
    "replay.r.ticks.fast",
    "replay.r.ticks.warm",
    "replay.r.ticks.cold",
    "replay.r.decisions",
    "replay.r.marks",
    "replay.r.alerts",
    "replay.r.dead",
    "replay.r.control",
    "replay.r.strategies",
    "replay.r.hashes.engine",
    "replay.r.state.normalize",
    "replay.r.state.engine",
    "replay.r.journal.engine",
}


def test_a_replay_makes_the_topics_that_its_processes_write_and_none_behind_them() -> None:
    assert {topic.name for topic in declared(replay_names("r"))} == OWN


def test_a_paced_replay_has_raw_events_of_its_own_too() -> None:
    names = {topic.name for topic in declared(paced_names("r"))}

    assert names == OWN | {"replay.r.raw.massive", "replay.r.raw.coinbase"}


def test_nothing_of_a_replay_ages_out_while_it_runs() -> None:
    kept = [topic for topic in declared(paced_names("r")) if not topic.compacted]

    assert {topic.configuration()["retention.ms"] for topic in kept} == {"-1"}


def test_no_process_of_a_replay_reads_what_another_replay_or_the_live_run_writes() -> None:
    for names in (replay_names("r"), paced_names("r")):
        assert names.group("normalize") == "replay.r.hadron.normalize"
        assert names.read("decisions") == names.write("decisions") == "replay.r.decisions"
        assert names.read("positions") == "positions"
    assert replay_names("r").read("raw.massive") == "raw.massive"
