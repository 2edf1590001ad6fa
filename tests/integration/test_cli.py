"""The commands against real servers."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from connectors.kafka import admin as administration
from connectors.kafka.connection import configuration
from connectors.kafka.log import KafkaLog
from connectors.local.stack import Endpoints
from hadron import topics
from hadron.__main__ import run
from hadron.cli.exits import Exit
from hadron.settings import Settings
from tests.integration.making_topics import make_topics

Told = Callable[..., Any]


@pytest.fixture
def prefix(unique: str) -> str:
    return f"replay.{unique}."


@pytest.fixture
def environ(stack: Endpoints, database: str, redis_url: str, prefix: str) -> dict[str, str]:
    return {
        "HADRON_KAFKA": stack.kafka,
        "HADRON_DATABASE": database,
        "HADRON_REDIS": redis_url,
        "HADRON_PREFIX": prefix,
        "HADRON_NUM_SHARDS": "2",
    }


@pytest.fixture
def kafka(stack: Endpoints, prefix: str) -> Iterator[AdminClient]:
    client = AdminClient({"bootstrap.servers": stack.kafka})
    yield client
    administration.delete(client, [prefix + topic.name for topic in topics.ALL])


@pytest.fixture
def told(environ: dict[str, str], kafka: AdminClient, capsys: pytest.CaptureFixture[str]) -> Told:
    """Run a command with --json, demand its exit code, return its one document."""

    def tell(*arguments: str, code: Exit = Exit.OK) -> Any:
        capsys.readouterr()
        assert run([*arguments, "--json"], environ) == code
        return json.loads(capsys.readouterr().out)

    return tell


def test_apply_makes_what_show_misses(told: Told, prefix: str) -> None:
    before = told("topics", "show", code=Exit.CHECK_FAILED)
    applied = told("topics", "apply")
    again = told("topics", "apply")
    after = told("topics", "show")

    assert all(topic["differences"] for topic in before)
    # A shadow is beside the live run, and so are its topics.
    ours = {one.name for one in topics.ALL if not isinstance(one, topics.ShadowTopic)}
    assert set(applied["created"]) == {prefix + name for name in ours}
    assert again == {"created": [], "changed": [], "differences": []}
    assert {topic["partitions"] for topic in after} == {2}
    assert not any(topic["differences"] for topic in after)


def test_apply_sets_settings_but_never_touches_partitions(
    told: Told, kafka: AdminClient, prefix: str
) -> None:
    name = f"{prefix}control"
    make_topics(kafka, NewTopic(name, 3, 1))

    applied = told("topics", "apply", code=Exit.CHECK_FAILED)

    assert "cleanup.policy" in {one["setting"] for one in applied["changed"]}
    assert applied["differences"] == [
        {"topic": name, "setting": "partitions", "seen": "3", "wanted": "2"}
    ]


def test_an_author_is_sealed_on_the_log_and_can_be_forgotten(
    told: Told, environ: dict[str, str], kafka: AdminClient, prefix: str, tmp_path: Path
) -> None:
    name = f"{prefix}control"
    make_topics(kafka, NewTopic(name, 1, 1))
    environ["HADRON_SUBJECT_KEYS"] = str(tmp_path / "keys")

    halted = told("control", "halt", "--reason", "wrong prices", "--author", "ann")
    shown = told("control", "show")["trading"]["fact"]["author"]
    subjects = told("subjects", "list")["subjects"]
    told("subjects", "forget", "ann", "--yes")
    assert run(["subjects", "forget", "ann", "--yes"], environ) == Exit.FAILED
    redacted = told("control", "show")["trading"]["fact"]["author"]
    log = KafkaLog(configuration(Settings(kafka=environ["HADRON_KAFKA"])))
    [record] = log.read(name, 0, start=0, end=1)
    log.close()

    assert (halted["author"], shown, subjects, redacted) == ("ann", "ann", ["ann"], "(redacted)")
    assert record.value is not None
    assert b"ann" not in record.value


def test_a_halt_reaches_every_partition_that_is_there(
    told: Told, kafka: AdminClient, prefix: str
) -> None:
    name = f"{prefix}control"
    make_topics(kafka, NewTopic(name, 3, 1))  # one more than the settings say

    told("control", "halt", "--reason", "wrong prices", "--author", "ann")
    resumed = told("control", "resume", "--reason", "prices are right")
    shown = told("control", "show")

    assert resumed["version"] == 2
    assert shown["trading"]["kind"] == "TradingResumed"
    assert shown["trading"]["everywhere"]
    assert shown["trading"]["fact"]["reason"] == "prices are right"


def test_what_a_change_does_not_name_stays_as_it_was(told: Told) -> None:
    told("topics", "apply")
    amounts = ("--position", "500", "--notional", "100000.50", "--exposure", "1000000")
    told("control", "limits", "--reason", "begin", *amounts)
    told("control", "rules", "--reason", "begin", "--fast", "eq:AAPL,eq:MSFT", "--default", "cold")
    told("control", "strategy", "fast", "--kind", "SimpleSMA", "--set", "threshold_bps=3",
         "--reason", "begin")  # fmt: skip

    limits = told("control", "limits", "--reason", "less", "--position", "5")
    rules = told("control", "rules", "--reason", "watch", "--stale-after-ms", "2000")
    strategy = told("control", "strategy", "fast", "--disable", "--reason", "pause")

    assert (limits["position"], limits["notional"]) == ("5", "100000.50")
    assert (rules["fast"], rules["default"], rules["stale_after_ms"], rules["version"]) == (
        ["eq:AAPL", "eq:MSFT"],
        "cold",
        2000,
        2,
    )
    assert (strategy["enabled"], strategy["parameters"]) == (False, {"threshold_bps": "3"})


@pytest.mark.parametrize(
    "arguments",
    [
        ["limits", "--position", "5"],
        ["limits", "--position", "many"],
        ["rules", "--default", "lukewarm"],
        ["strategy", "new"],
        ["strategy", "new", "--kind", "Magic"],
        ["strategy", "new", "--kind", "SimpleSMA", "--set", "colour=red"],
    ],
)
def test_a_change_that_nobody_could_follow_is_refused_and_not_written(
    told: Told, environ: dict[str, str], arguments: list[str]
) -> None:
    told("topics", "apply")

    assert run(["control", *arguments, "--reason", "x"], environ) == Exit.USAGE
    assert told("control", "show") == {}


def test_a_change_without_its_topic_says_what_to_do(
    environ: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["control", "halt", "--reason", "x"], environ) == Exit.FAILED
    assert "hadron topics apply" in capsys.readouterr().err


def test_migrate_and_every_query_on_an_empty_archive(told: Told) -> None:
    assert told("migrate")["before"] is None
    assert told("migrate")["before"] is not None

    for question in ("decisions", "orders", "positions"):
        assert told("query", question, "--instrument", "eq:AAPL", "--strategy", "sma") == []
    window = ("--from", "2013-10-07", "--to", "2013-10-08T12:00:00Z", "--every", "1h")
    assert told("query", "candles", "--instrument", "eq:AAPL", *window) == []


def test_a_query_of_a_database_that_was_never_migrated_says_what_to_do(
    environ: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["query", "positions"], environ) == Exit.FAILED
    assert "hadron migrate" in capsys.readouterr().err


def test_status_counts_what_lies_on_the_log(told: Told, prefix: str) -> None:
    told("topics", "apply")
    told("control", "halt", "--reason", "x")

    status = told("status")

    offsets = {topic["topic"]: topic["offsets"] for topic in status["topics"]}
    assert offsets[f"{prefix}control"] == 2
    assert status["database"]["revision"] is None
    assert status["redis"]["keys"] == 0
    assert status["problems"] == []


def test_status_of_servers_that_are_down_tells_and_ends_with_5(
    environ: dict[str, str], told: Told
) -> None:
    environ["HADRON_DATABASE"] = "postgresql://x:hush@127.0.0.1:1/x"

    status = told("status", code=Exit.UNREACHABLE)

    assert status["database"] is None
    assert len(status["problems"]) == 1
    assert "hush" not in status["problems"][0]


def test_the_local_stack_is_found_without_settings_and_stopped_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with tempfile.TemporaryDirectory(prefix="hadron-cli-") as directory:
        where = ("--dir", directory)
        try:
            assert run(["up", *where, "--json"], {}) == Exit.OK
            started = json.loads(capsys.readouterr().out)
            assert run(["status", *where, "--json"], {}) == Exit.OK
            running = json.loads(capsys.readouterr().out)["servers"]
        finally:
            assert run(["down", *where], {}) == Exit.OK
        assert run(["status", *where], {}) == Exit.SETTINGS

    assert started["kafka"].startswith("127.0.0.1:")
    assert {one["server"]: one["pid"] is not None for one in running} == {
        "kafka": True,
        "postgres": True,
        "valkey": True,
    }


def test_ctrl_c_ends_with_130() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings = {
            "HADRON_KAFKA": "127.0.0.1:1",
            "HADRON_DATABASE": f"postgresql://x@127.0.0.1:{silent.getsockname()[1]}/x",
            "HADRON_REDIS": "redis://127.0.0.1:1/0",
        }
        child = subprocess.Popen(
            [sys.executable, "-m", "hadron", "query", "positions"],
            env={**os.environ, **settings},
            stderr=subprocess.PIPE,
        )
        silent.settimeout(60)
        waiting, _ = silent.accept()
        child.send_signal(signal.SIGINT)
        _, told = child.communicate(timeout=60)
        waiting.close()

    assert child.returncode == Exit.INTERRUPTED
    assert b"Traceback" not in told
