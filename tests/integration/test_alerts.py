"""What is wrong is told once, on a topic that the archive stores and commands show."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import groupby
from typing import Any

import pytest

from connectors.alarms import KafkaAlarms
from connectors.kafka.connection import configuration
from connectors.kafka.log import KafkaLog
from connectors.local import kafka, postgres
from connectors.local.stack import Endpoints
from connectors.telemetry.metrics import PrometheusTelemetry
from connectors.telling import Teller, facts
from hadron import metrics
from hadron.__main__ import run
from hadron.audit.alerts import Alert
from hadron.audit.facts import AlertCleared, AlertRaised
from hadron.cli.exits import Exit
from hadron.partitions import partition_of
from hadron.settings import Settings
from hadron.topics import Names
from tests.integration.platform import SHARDS, Platform, platform, until
from tests.support import a_raw, codec

PARTITIONS = 2


class Watchers:
    """Processes that say things on a topic of one test."""

    def __init__(self, settings: Settings, names: Names) -> None:
        self.settings, self.names = settings, names
        self.telemetry = PrometheusTelemetry()
        self.log = self.open_log()

    def open_log(self) -> KafkaLog:
        return KafkaLog(configuration(self.settings))

    def alarms(self, process: str = "archive") -> KafkaAlarms:
        teller = Teller(
            process,
            open_log=self.open_log,
            codec=codec(),
            telemetry=self.telemetry,
            names=self.names,
            partitions=PARTITIONS,
        )
        return KafkaAlarms(process, teller)

    def facts(self) -> list[Alert]:
        """Partition by partition."""
        places = [(self.names.write("alerts"), each) for each in range(PARTITIONS)]
        ends = self.log.ends(places).items()
        return [one for at, end in ends for one in facts(self.log, at, end=end, codec=codec())]


@pytest.fixture
def watchers(stack: Endpoints, unique: str, make_topic: Callable[..., str]) -> Iterator[Watchers]:
    make_topic("alerts", partitions=PARTITIONS)
    made = Watchers(Settings(kafka=stack.kafka), Names(f"{unique}."))
    yield made
    made.log.close()


def test_what_is_said_again_and_again_is_told_once_and_its_end_too(watchers: Watchers) -> None:
    alarms = watchers.alarms()

    for _ in range(3):
        alarms.raised("database", "it does not answer")
    for _ in range(3):
        alarms.well("database")
    alarms.close()

    [raised, cleared] = watchers.facts()
    assert isinstance(raised, AlertRaised)
    assert isinstance(cleared, AlertCleared)
    assert (raised.subject, raised.text) == ("archive/database", "it does not answer")
    assert (cleared.subject, cleared.severity) == ("archive/database", "critical")
    told = watchers.telemetry.read()
    assert told.value(metrics.ALERTS, subject="archive/database", severity="critical") == 1
    assert told.value(metrics.ALERT_RAISED, subject="archive/database") == 0


def test_a_restart_neither_tells_again_nor_forgets_to_tell_the_end(watchers: Watchers) -> None:
    for say in ("raised", "raised", "well"):
        alarms = watchers.alarms()
        if say == "raised":
            alarms.raised("database", "it does not answer")
        else:
            alarms.well("database")
        alarms.close()

    assert [type(fact) for fact in watchers.facts()] == [AlertRaised, AlertCleared]


def test_what_passes_in_time_is_not_told_and_what_does_not_is(watchers: Watchers) -> None:
    alarms = watchers.alarms("feed")

    alarms.raised("massive", "not connected", after_s=60)
    alarms.well("massive")
    alarms.raised("coinbase", "not connected", after_s=0.1)
    until(lambda: len(watchers.facts()) == 1, "the one that lasts")
    alarms.close()

    assert [fact.subject for fact in watchers.facts()] == ["feed/coinbase"]


def test_a_measure_is_told_above_its_limit_and_cleared_below_half_of_it(
    watchers: Watchers,
) -> None:
    alarms = watchers.alarms()

    for value in (90, 110, 90, 60, 110, 50, 90):
        alarms.measured("lag", value, limit=100, text=f"{value} behind")
    alarms.close()

    assert [(type(fact), fact.text) for fact in watchers.facts()] == [
        (AlertRaised, "110 behind"),
        (AlertCleared, "it is well again"),
    ]


@pytest.fixture(scope="module")
def alone() -> Iterator[Platform]:
    with platform("postgres", HADRON_ALERT_FEED_S="1") as made:
        yield made


def on_log(alone: Platform, subject: str) -> list[type[Any]]:
    return [type(one) for one in alone.facts("alerts") if one.subject == subject]


def shown(alone: Platform, capsys: pytest.CaptureFixture[str], *command: str) -> Any:
    capsys.readouterr()
    assert run([*command, "--json"], alone.environment) == Exit.OK
    return json.loads(capsys.readouterr().out)


def test_poison_a_venue_that_is_away_and_a_database_that_is_gone_are_told_stored_and_shown(
    alone: Platform, capsys: pytest.CaptureFixture[str]
) -> None:
    alone.start("archive")
    partition = partition_of("eq:S0", SHARDS)
    junk = codec().encode(a_raw(b"junk", symbol="S0", instrument="eq:S0"))
    alone.log.append("raw.massive", partition, [("eq:S0", junk)] * 150)
    alone.log.flush()

    normalize = alone.start("normalize")
    assert normalize.wait(60) == 1
    again = alone.start("normalize")  # as a supervisor would
    assert again.wait(60) == 1
    feed = {"HADRON_MASSIVE_URL": "ws://127.0.0.1:9/stocks", "HADRON_MASSIVE_KEY": "k"}
    alone.environment |= {**feed, "HADRON_SYMBOLS": "S0"}
    alone.start("feed", "--venue", "massive")
    until(lambda: bool(on_log(alone, "feed/massive")), "a venue that is not there is told")
    database = alone.directory / "postgres"
    postgres.stop(database)
    alone.produce_trades(5)
    until(lambda: bool(on_log(alone, "archive/database")), "the database is missed")
    postgres.start(database)
    until(lambda: len(on_log(alone, "archive/database")) == 2, "it is back")
    alone.wait_until_taken("archive")

    assert on_log(alone, "normalize/stopped") == [AlertRaised]
    assert on_log(alone, "feed/massive") == [AlertRaised]
    assert on_log(alone, "archive/database") == [AlertRaised, AlertCleared]
    now = {alert["alert"]: alert["text"] for alert in shown(alone, capsys, "status")["alerts"]}
    assert now.keys() == {"normalize/stopped", "feed/massive"}
    assert "PoisonLimitReached: 100 records in a row" in now["normalize/stopped"]
    stored = shown(alone, capsys, "query", "alerts")
    ends = {one["subject"]: one["cleared_at"] for one in stored}
    assert {subject for subject, end in ends.items() if end is None} == now.keys()
    assert datetime.fromisoformat(ends["archive/database"])
    raised = shown(alone, capsys, "query", "alerts", "--raised")
    assert {one["subject"] for one in raised} == now.keys()


def test_a_broker_that_was_gone_is_told_of_once_it_is_back(alone: Platform) -> None:
    server = alone.directory / "kafka"

    kafka.stop(server, progress=lambda _: None)
    until(lambda: '"subject": "kafka"' in alone.said("archive"), "its own log says so")
    kafka.start(server, progress=lambda _: None)
    back_ns = time.time_ns()
    until(lambda: len(on_log(alone, "kafka")) >= 2, "it is back")

    raised = [one for one in alone.facts("alerts") if one.subject == "kafka"]
    # Who says it at the very moment that another does is heard, too.
    assert [kind for kind, _ in groupby(on_log(alone, "kafka"))] == [AlertRaised, AlertCleared]
    assert min(one.at_ns for one in raised) < back_ns  # of when it was noticed, not told
