"""The local stack as its users meet it."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil
import psycopg
import pytest
import redis
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from connectors.local import daemon, stack
from connectors.local.stack import Endpoints
from hadron.errors import TransientError
from tests.integration.making_topics import make_topics


def _quiet(_: str) -> None:
    pass


@pytest.fixture
def directory() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="hadron-stack-"))
    yield path
    stack.down(path, progress=_quiet)
    shutil.rmtree(path)


def _write(at: Endpoints) -> None:
    admin = AdminClient({"bootstrap.servers": at.kafka})
    make_topics(admin, NewTopic("kept", 1, 1))
    producer = Producer({"bootstrap.servers": at.kafka, "acks": "all"})
    producer.produce("kept", b"record", partition=0)
    assert producer.flush(30) == 0
    with psycopg.connect(at.database) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 'row' AS value")
    with redis.Redis.from_url(at.redis) as client:
        client.set("kept", b"key")


def _read(at: Endpoints) -> list[object]:
    consumer = Consumer({"bootstrap.servers": at.kafka, "group.id": "unused"})
    consumer.assign([TopicPartition("kept", 0, 0)])
    message = consumer.poll(30)
    consumer.close()
    assert message is not None
    with psycopg.connect(at.database) as connection:
        rows = connection.execute("SELECT value FROM kept").fetchall()
    with redis.Redis.from_url(at.redis) as client:
        return [message.value(), rows, client.get("kept")]


def test_up_starts_what_does_not_run_and_data_outlive_the_servers(directory: Path) -> None:
    first = stack.up(directory, progress=_quiet)
    _write(first)
    before = stack.state(directory)

    again = stack.up(directory, progress=_quiet)
    unchanged = stack.state(directory)
    stack.down(directory, progress=_quiet)
    stopped = stack.state(directory)
    later = stack.up(directory, progress=_quiet)

    assert again == first
    assert unchanged == before
    assert stopped == {"kafka": None, "postgres": None, "valkey": None}
    assert later == first  # the ports are remembered
    assert _read(later) == [b"record", [("row",)], b"key"]


@pytest.mark.parametrize("name", ["kafka", "postgres", "valkey"])
def test_a_killed_server_is_missed_and_up_brings_it_back(directory: Path, name: stack.Name) -> None:
    first = stack.up(directory, need=frozenset({name}), progress=_quiet)
    killed = stack.state(directory)[name]
    assert killed is not None

    os.kill(killed.pid, signal.SIGKILL)
    _gone(killed.pid)
    missed = stack.state(directory)[name]
    repaired = stack.up(directory, need=frozenset({name}), progress=_quiet)

    assert missed is None
    assert repaired == first
    assert stack.state(directory)[name] not in (None, killed)


def test_another_process_with_a_servers_old_pid_is_not_taken_for_it(directory: Path) -> None:
    stack.up(directory, need=frozenset({"valkey"}), progress=_quiet)
    real = stack.state(directory)["valkey"]
    stack.down(directory, progress=_quiet)
    assert real is not None

    record = directory / "valkey" / daemon.STATE
    record.write_text(f'{{"pid": {os.getpid()}, "ports": [{real.ports[0]}]}}')
    stack.down(directory, progress=_quiet)

    assert stack.state(directory)["valkey"] is None
    assert psutil.pid_exists(os.getpid())


def test_a_port_that_is_taken_meanwhile_is_not_the_end(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = daemon.free_ports
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        found = [(other.getsockname()[1],)]

        def ports(count: int, *, preferred: Sequence[int]) -> tuple[int, ...]:
            return found.pop() if found else free(count, preferred=preferred)

        monkeypatch.setattr(daemon, "free_ports", ports)
        endpoints = stack.up(directory, progress=_quiet, need=frozenset({"valkey"}))

    with redis.Redis.from_url(endpoints.redis) as client:
        assert client.ping()


def test_a_server_that_cannot_start_is_reported_with_the_end_of_its_log(directory: Path) -> None:
    stack.up(directory, need=frozenset({"valkey"}), progress=_quiet)
    stack.down(directory, progress=_quiet)
    shutil.rmtree(directory / "valkey/appendonlydir")
    (directory / "valkey/appendonlydir").write_text("a file where a directory must be")

    with pytest.raises(TransientError, match=r"(?s)Valkey ended while starting.*appendonlydir"):
        stack.up(directory, need=frozenset({"valkey"}), progress=_quiet)


def _gone(pid: int) -> None:
    try:
        psutil.Process(pid).wait(10)
    except psutil.NoSuchProcess:
        return
