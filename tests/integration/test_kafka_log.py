"""The log in Kafka does what every FactLog does, and loses nothing when Kafka fails it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from itertools import accumulate
from typing import Any

import pytest

from connectors.kafka.connection import configuration
from connectors.kafka.log import KafkaLog
from connectors.local.stack import Endpoints
from hadron.errors import HadronError, TransientError
from hadron.ports import FactLog
from hadron.settings import Settings
from tests.integration.own_kafka import KafkaLogContract, kill, own_kafka, pid_of, start

Open = Callable[[dict[str, Any]], KafkaLog]


class TestKafkaLog(KafkaLogContract):
    @pytest.fixture
    def log(self, stack: Endpoints) -> Iterator[KafkaLog]:
        self.at = configuration(Settings(kafka=stack.kafka))
        log = KafkaLog(self.at)
        yield log
        log.flush()
        log.close()

    @pytest.fixture
    def topic(self, make_topic: Callable[..., str]) -> str:
        return make_topic(partitions=2)


@pytest.fixture
def connection(stack: Endpoints) -> dict[str, Any]:
    return configuration(Settings(kafka=stack.kafka))


@pytest.fixture
def opened() -> Iterator[Callable[[dict[str, Any]], KafkaLog]]:
    """Open logs that are closed after the test."""
    with ExitStack() as logs:

        def open_log(connection: dict[str, Any]) -> KafkaLog:
            log = KafkaLog(connection)
            logs.callback(log.close)
            return log

        yield open_log


def test_a_record_that_kafka_refuses_is_told_by_poll_and_ends_the_log(
    connection: dict[str, Any], opened: Open, make_topic: Callable[..., str]
) -> None:
    topic = make_topic(max_message_bytes="1000")
    log = opened(connection)
    calls: list[str] = []
    small, large = (None, b"s"), (None, os.urandom(5000))

    log.append(topic, 0, [small], delivered=lambda: calls.append("good"))
    log.flush()
    log.append(topic, 0, [small, large, small], delivered=lambda: calls.append("bad"))

    with pytest.raises(TransientError, match="Message size too large"):
        _poll_until_it_raises(log)
    with pytest.raises(TransientError, match="opened anew"):
        log.append(topic, 0, [small])
    with pytest.raises(TransientError, match="opened anew"):
        log.flush()
    assert calls == ["good"]


def test_nothing_after_a_refused_record_is_stored(
    connection: dict[str, Any], opened: Open, make_topic: Callable[..., str]
) -> None:
    topic = make_topic(max_message_bytes="1000")
    # Each record in a batch of its own, several of them on the way at once.
    log = opened({**connection, "batch.num.messages": 1})
    values = [b"1", b"2", os.urandom(5000), *[b"after"] * 200]

    log.append(topic, 0, [(None, value) for value in values])
    with pytest.raises(TransientError):
        log.flush()

    reader = opened(connection)
    end = reader.ends([(topic, 0)])[topic, 0]
    assert [r.value for r in reader.read(topic, 0, start=0, end=end)] == [b"1", b"2"]


def test_a_record_larger_than_any_topic_takes_is_refused_at_once(
    connection: dict[str, Any], opened: Open, make_topic: Callable[..., str]
) -> None:
    log = opened(connection)

    with pytest.raises(HadronError, match="MSG_SIZE_TOO_LARGE"):
        log.append(make_topic(), 0, [(None, bytes(17_000_000))])
    with pytest.raises(TransientError):
        log.poll()


def test_a_topic_that_does_not_exist_is_told_by_poll(
    connection: dict[str, Any], opened: Open, unique: str
) -> None:
    log = opened({**connection, "topic.metadata.propagation.max.ms": 500})

    log.append(f"{unique}.missing", 0, [(None, b"v")])

    with pytest.raises(TransientError, match="UNKNOWN"):
        _poll_until_it_raises(log)


def test_asking_for_the_ends_of_a_missing_topic_names_it(
    connection: dict[str, Any], opened: Open, unique: str
) -> None:
    with pytest.raises(TransientError, match=f"{unique}.missing"):
        opened(connection).ends([(f"{unique}.missing", 0)])


def test_a_full_buffer_holds_append_back_and_loses_nothing(
    connection: dict[str, Any], opened: Open, make_topic: Callable[..., str]
) -> None:
    topic = make_topic()
    log = opened({**connection, "queue.buffering.max.messages": 10})
    calls: list[int] = []

    values = [b"%d" % n for n in range(1000)]
    log.append(topic, 0, [(None, value) for value in values], delivered=lambda: calls.append(1))
    log.flush()

    found = [r.value for r in log.read(topic, 0, start=0, end=1000)]
    assert found == values
    assert calls == [1]


def test_what_is_appended_while_kafka_is_down_is_stored_once_it_is_back(opened: Open) -> None:
    with own_kafka(partitions=1) as (directory, at):
        log = opened({**configuration(Settings(kafka=at)), "reconnect.backoff.max.ms": 200})
        calls: list[str] = []
        log.append("facts", 0, [(None, b"1")], delivered=lambda: calls.append("before"))
        log.flush()

        kill(directory)
        log.append("facts", 0, [(None, b"2"), (None, b"3")], delivered=lambda: calls.append("down"))
        with pytest.raises(TransientError, match="2 records are not on Kafka"):
            log.flush(0.5)
        while_down = list(calls)
        start(directory)
        log.flush()

        assert (while_down, calls) == (["before"], ["before", "down"])
        found = [r.value for r in log.read("facts", 0, start=0, end=3)]
        assert found == [b"1", b"2", b"3"]
        assert log.ends([("facts", 0)]) == {("facts", 0): 3}


@pytest.mark.parametrize(("partitions", "at_once"), [(2, 10), (1, 5)])
def test_waiting_for_a_broker_that_does_not_answer_takes_no_cpu(
    opened: Open, partitions: int, at_once: int
) -> None:
    with own_kafka(partitions=partitions) as (directory, at):
        log = opened(configuration(Settings(kafka=at)))
        log.append("facts", 0, [(None, b"first")])
        log.flush()

        os.kill(pid_of(directory), signal.SIGSTOP)
        for _ in range(10):
            for partition in range(partitions):
                log.append("facts", partition, [(None, b"%d" % n) for n in range(at_once)])
            log.poll(0.02)
        began_s, until_s = time.process_time(), time.monotonic() + 2
        while time.monotonic() < until_s:
            log.poll(0.1)
        taken_s = time.process_time() - began_s
        os.kill(pid_of(directory), signal.SIGCONT)
        log.flush()

        assert taken_s < 0.5
        wanted = {("facts", partition): 10 * at_once for partition in range(partitions)}
        wanted["facts", 0] += 1
        assert log.ends(wanted) == wanted


def test_what_is_held_back_for_an_answer_is_stored_and_told_in_order(
    connection: dict[str, Any], opened: Open, make_topic: Callable[..., str]
) -> None:
    topic = make_topic()
    log = opened(connection)
    told: list[tuple[int, int]] = []

    def append(number: int) -> None:
        def placed(offset: int) -> None:
            told.append((number, offset))

        log.append(topic, 0, [(None, b"%d" % number)] * (1 + number % 7), placed=placed)

    for number in range(200):
        append(number)
    log.flush()

    sizes = [1 + number % 7 for number in range(200)]
    assert told == list(enumerate(offset - 1 for offset in accumulate(sizes)))
    values = [int(r.value or b"") for r in log.read(topic, 0, start=0, end=sum(sizes))]
    assert values == [number for number, size in enumerate(sizes) for _ in range(size)]


def test_records_appended_by_those_who_are_told_of_others_are_stored_by_the_same_flush(
    connection: dict[str, Any], opened: Open, make_topic: Callable[..., str]
) -> None:
    topic = make_topic()
    log = opened(connection)

    def append(left: int) -> None:
        log.append(topic, 0, [(None, b"%d" % left)] * 10, delivered=partial(again, left))

    def again(left: int) -> None:
        if left:
            append(left - 1)

    append(5)
    log.flush()

    assert log.ends([(topic, 0)]) == {(topic, 0): 60}


def test_threads_may_append_to_one_partition_each_in_its_own_order(
    connection: dict[str, Any], opened: Open, make_topic: Callable[..., str]
) -> None:
    topic = make_topic()
    log = opened(connection)

    def append(name: int) -> None:
        for number in range(500):
            log.append(topic, 0, [(b"%d" % name, b"%d" % number)])
            if not number % 50:
                log.poll(0.001)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(append, range(4)))
    log.flush()

    found: dict[bytes, list[int]] = {}
    for record in log.read(topic, 0, start=0, end=2000):
        found.setdefault(record.key or b"", []).append(int(record.value or b""))
    assert found == {b"%d" % name: list(range(500)) for name in range(4)}


def _poll_until_it_raises(log: FactLog) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        log.poll()
