"""Offsets of groups that people reset with Kafka's own tools: what is replayed, and what is not."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from connectors.kafka import groups
from hadron.audit.comparison import compare
from hadron.topics import LIVE, RAW, TICKS
from tests.integration.kafka_tools import write_script
from tests.integration.platform import SHARDS, Platform, platform, until
from tests.integration.replaying import decisions, live_ends, live_run

PAGE = Path(__file__).parents[2] / "docs/operations-replay.md"
SECTION = "By resetting a group with Kafka's own tools"
LANES = [topic.name for topic in TICKS.values()]
RAWS = [topic.name for topic in RAW.values()]


@pytest.fixture(scope="module")
def alone() -> Iterator[Platform]:
    with platform("postgres") as made:
        write_script(made.directory)
        ours = (str(made.directory), str(Path(sys.executable).parent), os.environ["PATH"])
        made.environment["PATH"] = os.pathsep.join(ours)
        live_run(made, "archive")
        yield made


def reset(alone: Platform, group: str) -> str:
    """What Kafka's command says to sending a group back to where its topics begin."""
    tool = ("kafka-consumer-groups.sh", "--bootstrap-server", alone.settings.kafka)
    asked = ("--group", group, "--reset-offsets", "--all-topics", "--to-earliest", "--execute")
    said = subprocess.run(
        [*tool, *asked], env=alone.environment, capture_output=True, text=True, check=False
    )
    return said.stdout + said.stderr


def rows(alone: Platform) -> Mapping[str, int]:
    """How many rows each table of facts has."""
    database = alone.settings.database_read
    assert database is not None
    with psycopg.connect(database.get_secret_value()) as connection:
        return {
            table: connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchall()[0][0]
            for table in ("ticks", "strategy_decisions")
        }


def committed(alone: Platform, process: str) -> dict[tuple[str, int], int]:
    """Where the group of a live process goes on."""
    return groups.committed(alone.admin, LIVE.group(process))


def test_live_processes_pass_over_what_they_have_stepped_and_say_nothing_twice(
    alone: Platform,
) -> None:
    before, stored = live_ends(alone), rows(alone)
    for process in ("normalize", "engine", "archive"):
        assert f"hadron.{process}" in reset(alone, LIVE.group(process))
        assert set(committed(alone, process).values()) == {0}

    for process in ("normalize", "engine", "archive"):
        alone.start(process)
    alone.wait_until_taken("normalize", "engine")
    # Something new shows that the archive is there, and goes on.
    alone.produce_trades(40, first=1_000_000, symbols=1)
    alone.wait_until_taken("normalize", "engine")
    until(alone.archived, "the archive goes on")
    alone.stop_all()

    ends = live_ends(alone)
    ticks = [(lane, partition) for lane in LANES for partition in range(SHARDS)]
    assert sum(ends[at] - before[at] for at in ticks) == 40
    assert set(alone.named("decisions", *LANES).values()) == {1}
    assert rows(alone)["ticks"] == stored["ticks"] + 40 == sum(ends[at] for at in ticks)
    assert rows(alone)["strategy_decisions"] == len(decisions(alone))


def test_a_group_that_is_at_work_is_not_reset(alone: Platform) -> None:
    alone.start("engine")
    group = LIVE.group("engine")
    until(lambda: groups.members(alone.admin, group) == 1, "the engine is a member")
    before = committed(alone, "engine")

    said = reset(alone, group)

    alone.stop_all()
    assert "inactive" in said, said
    assert committed(alone, "engine") == before


def test_a_run_of_ones_own_decides_again_from_where_its_group_was_reset_to(
    alone: Platform,
) -> None:
    type_the_page(alone, "mine", "--to-earliest")

    compared = compare(decisions(alone), alone.facts("replay.mine.decisions"))
    assert compared.equal > 10
    assert compared.holds


def test_a_run_of_ones_own_begins_at_the_time_that_its_group_was_reset_to(
    alone: Platform,
) -> None:
    received = [(r.partition, r.offset, r.timestamp_ms) for r in alone.records("raw.massive")]
    middle_ms = sorted(at_ms for _, _, at_ms in received)[len(received) // 2]
    since = datetime.fromtimestamp(middle_ms / 1000, UTC).isoformat(timespec="milliseconds")[:-6]

    type_the_page(alone, "late", f"--to-datetime {since}")

    ticks = alone.facts(*(f"replay.late.{lane}" for lane in LANES))
    assert {(tick.raw_partition, tick.raw_offset) for tick in ticks} == {
        (partition, offset) for partition, offset, at_ms in received if at_ms >= middle_ms
    }


def type_the_page(alone: Platform, run: str, where: str) -> None:
    """Type what the page shows, for a run of another name that begins elsewhere."""
    text = PAGE.read_text("utf-8").partition(f"## {SECTION}\n")[2].partition("\n## ")[0]
    [block] = re.findall(r"^```sh\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    changes = {
        "replay.mine.": f"replay.{run}.",
        "localhost:9092": alone.settings.kafka,
        "--to-datetime 2013-10-07T14:30:00.000": where,
    }
    for shown, meant in changes.items():
        assert shown in block
        block = block.replace(shown, meant)
    environment = alone.environment
    for line in block.splitlines():
        match shlex.split(line, comments=True):
            case ["export", setting]:
                environment = {**environment, **dict([setting.split("=")])}
            case ["hadron", "run", process]:
                alone.start(process, **environment)
                _until_taken(alone, f"replay.{run}.", process)
            case _:
                subprocess.run(line, shell=True, env=environment, check=True)
    alone.stop_all()


def _until_taken(alone: Platform, prefix: str, process: str) -> None:
    topics = RAWS if process == "normalize" else [f"{prefix}{lane}" for lane in LANES]
    places = [(topic, partition) for topic in topics for partition in range(SHARDS)]

    def taken() -> bool:
        done = groups.committed(alone.admin, f"{prefix}hadron.{process}")
        return all(done.get(place, 0) >= end for place, end in alone.log.ends(places).items())

    until(taken, f"{prefix}{process} took everything")
