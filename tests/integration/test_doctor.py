"""Every misconfiguration is made for real, and doctor must find it and name the remedy."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator

import psycopg
import pytest
import redis
from confluent_kafka import Consumer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from connectors.kafka import admin as administration
from connectors.kafka.admin import Difference
from connectors.kafka.alteration import alter
from connectors.kafka.groups import reset
from connectors.kafka.log import KafkaLog
from connectors.local.stack import Endpoints
from hadron import topics
from hadron.__main__ import run
from hadron.cli.checks.finding import Finding
from hadron.cli.doctor import examine
from hadron.cli.exits import Exit
from tests.integration.access import databases
from tests.integration.making_topics import make_topics

Environ = dict[str, str]
PARTITIONS = 2


def diagnose(environ: Environ, now_ns: Callable[[], int] = time.time_ns) -> dict[str, Finding]:
    """What doctor found, by check."""
    return {one.check: one for one in examine(environ, None, now_ns)}


@pytest.fixture
def prefix(unique: str) -> str:
    return f"replay.{unique}."


@pytest.fixture
def kafka(stack: Endpoints) -> AdminClient:
    return AdminClient({"bootstrap.servers": stack.kafka})


@pytest.fixture
def environ(
    stack: Endpoints, kafka: AdminClient, prefix: str, database: str, redis_url: str
) -> Iterator[Environ]:
    """A sound set-up with topics and tables of this test."""
    found = {
        "HADRON_KAFKA": stack.kafka,
        "HADRON_DATABASE": database,
        "HADRON_REDIS": redis_url,
        "HADRON_PREFIX": prefix,
        "HADRON_NUM_SHARDS": str(PARTITIONS),
        "HADRON_HTTP_PORT": "0",
    }
    assert run(["topics", "apply"], found) == Exit.OK
    assert run(["migrate"], found) == Exit.OK
    yield found
    administration.delete(kafka, [prefix + topic.name for topic in topics.ALL])


@pytest.fixture
def closed() -> str:
    """An address on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def test_a_sound_set_up_has_no_errors(environ: Environ, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()

    code = run(["doctor", "--json"], environ)

    findings = json.loads(capsys.readouterr().out)
    failed = [one for one in findings if not one["ok"] and one["severity"] == "error"]
    assert (failed, code) == ([], Exit.OK)
    assert len(findings) >= 20


def test_errors_end_with_3(environ: Environ, capsys: pytest.CaptureFixture[str]) -> None:
    code = run(["doctor"], {**environ, "HADRON_NUM_SHARDS": "5"})

    assert code == Exit.CHECK_FAILED
    assert "set HADRON_NUM_SHARDS=2" in capsys.readouterr().out


def test_a_broker_that_is_down(environ: Environ, closed: str) -> None:
    found = diagnose({**environ, "HADRON_KAFKA": closed})

    assert found["kafka"].failed
    assert closed in found["kafka"].seen
    assert "hadron up" in found["kafka"].remedy
    assert found["migrations"].ok  # the others are looked at all the same


def test_a_missing_topic(environ: Environ, kafka: AdminClient, prefix: str) -> None:
    administration.delete(kafka, [f"{prefix}orders"])

    found = diagnose(environ)["topics"]

    assert found.failed
    assert found.seen == f"missing: {prefix}orders"
    assert "hadron topics apply" in found.remedy


def test_a_topic_that_is_not_co_partitioned(
    environ: Environ, kafka: AdminClient, prefix: str
) -> None:
    name = f"{prefix}ticks.fast"
    administration.delete(kafka, [name])
    make_topics(kafka, NewTopic(name, PARTITIONS + 1, 1))

    found = diagnose(environ)["co-partitioning"]

    assert found.failed
    assert f"{name} has 3" in found.seen
    assert "delete these topics" in found.remedy


def test_shards_that_are_not_the_partitions(environ: Environ) -> None:
    found = diagnose({**environ, "HADRON_NUM_SHARDS": "8"})["shards"]

    assert found.failed
    assert "8, but all topics have 2" in found.seen
    assert "HADRON_NUM_SHARDS=2" in found.remedy


def test_a_topic_whose_settings_were_changed(
    environ: Environ, kafka: AdminClient, prefix: str
) -> None:
    name = f"{prefix}control"
    alter(kafka, [Difference(name, "cleanup.policy", "compact", "delete")])

    found = diagnose(environ)["topic settings"]

    assert found.failed
    assert f"{name}: cleanup.policy is delete, wanted compact" in found.seen
    assert "hadron topics apply" in found.remedy
    assert run(["topics", "apply"], environ) == Exit.OK
    assert diagnose(environ)["topic settings"].ok


def test_fewer_copies_and_brokers_than_wanted(environ: Environ) -> None:
    found = diagnose({**environ, "HADRON_REPLICATION": "3"})

    assert found["replication"].failed
    assert "HADRON_REPLICATION" in found["replication"].remedy
    assert found["kafka"].failed
    assert "start more brokers" in found["kafka"].remedy


def test_records_from_the_future(environ: Environ, stack: Endpoints, prefix: str) -> None:
    log = KafkaLog({"bootstrap.servers": stack.kafka})
    ahead_ms = time.time_ns() // 1_000_000 + 1_800_000
    log.append(f"{prefix}dead", 0, [("key", None)], timestamp_ms=ahead_ms)
    log.flush()

    found = diagnose(environ)["future records"]

    assert (found.ok, found.severity) == (False, "warning")
    assert f"{prefix}dead" in found.seen
    assert "clock" in found.remedy


def test_a_record_with_an_id_that_nobody_knows(
    environ: Environ, stack: Endpoints, prefix: str
) -> None:
    log = KafkaLog({"bootstrap.servers": stack.kafka})
    log.append(f"{prefix}orders", 1, [("key", b"\0" + (999_999).to_bytes(4) + b"x")])
    log.flush()

    found = diagnose(environ)["contracts"]

    assert found.failed
    assert f"{prefix}orders/1 at 0 (id 999999)" in found.seen
    assert "HADRON_REGISTRY" in found.remedy


def test_a_registry_that_is_down(environ: Environ, closed: str) -> None:
    found = diagnose({**environ, "HADRON_REGISTRY": f"http://x:hush@{closed}"})["contracts"]

    assert found.failed
    assert "does not answer" in found.seen
    assert "hush" not in found.seen
    assert "HADRON_REGISTRY" in found.remedy


def test_an_orphan_group(environ: Environ, kafka: AdminClient, prefix: str) -> None:
    reset(kafka, f"{prefix}hadron.retired", {(f"{prefix}orders", 0): 0})

    found = diagnose(environ)["orphan groups"]

    assert (found.ok, found.severity) == (False, "warning")
    assert f"{prefix}hadron.retired" in found.seen
    assert "delete" in found.remedy


def test_a_group_that_nobody_serves(
    environ: Environ, kafka: AdminClient, stack: Endpoints, prefix: str
) -> None:
    _append(stack, f"{prefix}decisions")
    reset(kafka, f"{prefix}hadron.desk", {(f"{prefix}decisions", 0): 0})

    found = diagnose(environ)["unread"]

    assert (found.ok, found.severity) == (False, "warning")
    assert found.remedy == "start `hadron run desk`"


def test_a_process_that_stands_still(
    environ: Environ, kafka: AdminClient, stack: Endpoints, prefix: str
) -> None:
    topic, group = f"{prefix}decisions", f"{prefix}hadron.desk"
    _append(stack, topic)
    reset(kafka, group, {(topic, 0): 0})
    consumer = Consumer(
        {"bootstrap.servers": stack.kafka, "group.id": group, "enable.auto.commit": False}
    )
    consumer.subscribe([topic])
    assert consumer.poll(30) is not None

    found = diagnose(environ)
    consumer.close()

    assert (found["stuck"].ok, found["stuck"].severity) == (False, "warning")
    assert "see the log of desk and restart it" in found["stuck"].remedy
    assert found["unread"].ok


def test_a_database_that_is_down(environ: Environ, closed: str) -> None:
    found = diagnose({**environ, "HADRON_DATABASE": f"postgresql://x:hush@{closed}/x"})["database"]

    assert found.failed
    assert "hadron up" in found.remedy
    assert "hush" not in found.seen


def test_a_database_without_timescaledb(environ: Environ, database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("DROP EXTENSION IF EXISTS timescaledb CASCADE")

    found = diagnose(environ)["timescaledb"]

    assert (found.ok, found.severity) == (False, "warning")
    assert "use a TimescaleDB server" in found.remedy


def test_a_timescaledb_of_the_apache_edition(environ: Environ, database: str) -> None:
    # The catalogue's row and the setting are all that tells the edition.
    with psycopg.connect(database) as connection:
        connection.execute("DROP EXTENSION IF EXISTS timescaledb CASCADE")
        connection.execute("""
            INSERT INTO pg_extension
                (oid, extname, extowner, extnamespace, extrelocatable, extversion)
            VALUES (99999, 'timescaledb', 10, 2200, false, '2.28.0')
        """)
        connection.execute(f"""
            ALTER DATABASE {connection.info.dbname} SET timescaledb.license = 'apache'
        """)

    found = diagnose(environ)["timescaledb"]

    assert found.failed
    assert "'apache'" in found.seen
    assert "Community edition" in found.remedy


def test_a_database_that_was_never_migrated(environ: Environ, stack: Endpoints) -> None:
    found = diagnose({**environ, "HADRON_DATABASE": stack.database.replace("/hadron", "/postgres")})

    assert found["migrations"].failed
    assert found["tables"].failed
    assert "hadron migrate" in found["migrations"].remedy


def test_a_missing_table(environ: Environ, database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("DROP TABLE dead_letters")

    found = diagnose(environ)["tables"]

    assert found.failed
    assert found.seen == "missing: dead_letters"
    assert "replay the log" in found.remedy


def test_a_role_that_may_not_insert(environ: Environ, database: str, unique: str) -> None:
    role = unique.replace("-", "_")
    with psycopg.connect(database) as connection:
        connection.execute(f"CREATE ROLE {role} LOGIN")
        connection.execute(f"GRANT INSERT ON ticks TO {role}")
    weak = database.replace("//postgres@", f"//{role}@")

    found = diagnose({**environ, "HADRON_DATABASE": weak})
    with psycopg.connect(database) as connection:
        connection.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")

    assert found["grants"].failed
    assert "order_intents" in found["grants"].seen
    assert "ticks" not in found["grants"].seen
    assert "GRANT INSERT ON" in found["grants"].remedy
    assert "may not read alembic_version" in found["migrations"].seen


def test_processes_that_write_as_a_superuser_of_this_machine_are_told(environ: Environ) -> None:
    found = diagnose(environ)["role"]

    assert (found.ok, found.severity) == (False, "info")
    assert "a superuser" in found.seen
    assert "hadron_sink" in found.remedy


def test_processes_that_write_as_the_sink_are_sound(environ: Environ, database: str) -> None:
    found = diagnose({**environ, **databases(database)})

    assert [found[check].ok for check in ("role", "guards", "grants", "migrations")] == [True] * 4


def test_a_trigger_that_somebody_disabled(environ: Environ, database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("ALTER TABLE audit_chain DISABLE TRIGGER USER")

    found = diagnose({**environ, **databases(database)})["guards"]

    assert found.failed
    assert "trigger immutable of audit_chain" in found.seen
    assert "hadron migrate" in found.remedy
    assert run(["migrate"], environ) == Exit.OK
    assert diagnose(environ)["guards"].ok


def test_a_redis_that_is_down(environ: Environ, closed: str) -> None:
    found = diagnose({**environ, "HADRON_REDIS": f"redis://:hush@{closed}/0"})["redis"]

    assert found.failed
    assert "hadron up" in found.remedy
    assert "hush" not in found.seen


@pytest.mark.parametrize(
    ("setting", "value", "remedy"),
    [("maxmemory", "0", "maxmemory 256mb"), ("maxmemory-policy", "noeviction", "volatile-ttl")],
)
def test_a_redis_that_fills_up(
    environ: Environ, redis_url: str, setting: str, value: str, remedy: str
) -> None:
    with redis.Redis.from_url(redis_url, decode_responses=True) as client:
        before = client.config_get(setting)[setting]
        client.config_set(setting, value)
        try:
            found = diagnose(environ)["redis memory"]
        finally:
            client.config_set(setting, before)

    assert (found.ok, found.severity) == (False, "warning")
    assert remedy in found.remedy


def test_keys_that_never_expire(environ: Environ, redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        client.set("of somebody else", "for ever")

    found = diagnose(environ)["redis keys"]

    assert (found.ok, found.severity) == (False, "warning")
    assert "1 of 1" in found.seen
    assert "HADRON_REDIS" in found.remedy


def test_a_clock_that_is_off(environ: Environ) -> None:
    found = diagnose(environ, lambda: time.time_ns() - 3_600_000_000_000)

    for server in ("the database", "Redis"):
        assert found[f"clock against {server}"].failed
        assert "NTP" in found[f"clock against {server}"].remedy


def test_an_http_port_that_is_taken(environ: Environ) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        found = diagnose({**environ, "HADRON_HTTP_PORT": str(port)})["http port"]

    assert found.failed
    assert "HADRON_HTTP_PORT" in found.remedy


def test_a_misspelt_and_a_wrong_setting(environ: Environ) -> None:
    misspelt = {**environ, "HADRON_NUM_SHARD": "4"}

    found = diagnose({**misspelt, "HADRON_BATCH_ROWS": "none"})

    assert found["variables"].remedy == "rename HADRON_NUM_SHARD to HADRON_NUM_SHARDS"
    assert found["settings"].failed
    assert found["settings"].remedy == "correct HADRON_BATCH_ROWS"


def test_no_key_of_massive_is_told_and_is_no_fault(environ: Environ) -> None:
    without = diagnose(environ)["massive key"]
    with_key = diagnose({**environ, "HADRON_MASSIVE_KEY": "hush"})["massive key"]

    assert (without.ok, without.severity) == (False, "info")
    assert "HADRON_MASSIVE_KEY" in without.remedy
    assert with_key.ok
    assert "hush" not in with_key.seen


def _append(stack: Endpoints, topic: str) -> None:
    log = KafkaLog({"bootstrap.servers": stack.kafka})
    log.append(topic, 0, [("key", None)])
    log.flush()
