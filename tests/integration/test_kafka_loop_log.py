"""The log of an event loop does what every log does, and loses nothing when Kafka fails it."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from itertools import accumulate, chain, count
from typing import Any

import pytest
import uvloop
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from connectors.kafka import admin as administration
from connectors.kafka.connection import configuration
from connectors.kafka.looping import MOST_RECORDS, KafkaLoopLog
from connectors.local.stack import Endpoints
from hadron.errors import HadronError, TransientError
from hadron.ports import Record
from hadron.settings import Settings
from tests.integration.making_topics import make_topics
from tests.integration.own_kafka import KafkaLogContract, kill, own_kafka, pid_of, start

SHORT_S = 1.0


class Driven:
    """A LoopLog as a FactLog: its loop runs while it is polled or flushed."""

    def __init__(self, settings: Settings) -> None:
        self._loop = uvloop.new_event_loop()
        self.log = self._loop.run_until_complete(_made(settings))
        self.append = self.log.append
        self.ends, self.starts, self.read = self.log.ends, self.log.starts, self.log.read

    def poll(self, wait_s: float = 0.0) -> None:
        self._loop.run_until_complete(self.log.wait(max(wait_s, 0.01)))

    def flush(self, timeout_s: float = 30.0) -> None:
        self._loop.run_until_complete(self.log.drain(timeout_s))

    def close(self) -> None:
        self._loop.run_until_complete(self.log.close())
        self._loop.close()


class TestKafkaLoopLog(KafkaLogContract):
    @pytest.fixture
    def log(self, stack: Endpoints) -> Iterator[Driven]:
        settings = Settings(kafka=stack.kafka)
        self.at = configuration(settings)
        log = Driven(settings)
        yield log
        log.flush()
        log.close()

    @pytest.fixture
    def topic(self, make_topic: Callable[..., str]) -> str:
        return make_topic(partitions=2)


def test_a_record_that_kafka_refuses_is_told_and_ends_the_log(
    stack: Endpoints, make_topic: Callable[..., str]
) -> None:
    topic, calls = make_topic(max_message_bytes="1000"), list[str]()
    small, large = (None, b"s"), (None, os.urandom(5000))

    async def run() -> None:
        async with opened(stack.kafka) as log:
            log.append(topic, 0, [small], delivered=lambda: calls.append("good"))
            await log.drain()
            log.append(topic, 0, [small, large, small], delivered=lambda: calls.append("bad"))

            with pytest.raises(TransientError, match=f"{topic}/0 was refused: MessageSizeTooLarge"):
                await log.drain()
            with pytest.raises(TransientError, match="opened anew"):
                log.append(topic, 0, [small])
            with pytest.raises(TransientError, match="opened anew"):
                log.poll()
            with pytest.raises(TransientError, match="opened anew"):
                await log.wait(1)

    uvloop.run(run())
    assert calls == ["good"]


@pytest.mark.parametrize("good", [[], [b"1", b"2"]])
def test_nothing_after_a_refused_record_is_stored(
    stack: Endpoints, make_topic: Callable[..., str], good: Sequence[bytes]
) -> None:
    """Also where the broker knows nothing of the producer yet, and would take any record of it."""
    topic = make_topic(max_message_bytes="1000")

    async def run() -> None:
        async with opened(stack.kafka) as log:
            log.append(topic, 0, [(None, value) for value in good])
            await log.drain()
            log.append(topic, 0, [(None, os.urandom(5000))])
            with pytest.raises(TransientError):
                await _append_for_ever(log, topic)
            await asyncio.sleep(0.5)
            assert [record.value for record in stored(log, topic)] == good

    uvloop.run(run())


@pytest.mark.parametrize("rounds", range(8))
def test_nothing_is_sent_in_the_round_in_which_the_loop_learns_of_a_refusal(
    stack: Endpoints, make_topic: Callable[..., str], rounds: int
) -> None:
    """The sender may wake for a new batch just when the answer is read."""
    topic = make_topic(partitions=2, max_message_bytes="1000")

    async def run() -> None:
        async with opened(stack.kafka) as log:
            log.append(topic, 1, [(None, b"known")])  # of other partitions
            await log.drain()
            sent = log._producer._sender._in_flight
            log.append(topic, 0, [(None, os.urandom(5000))])
            while not sent:
                await asyncio.sleep(0)
            await asyncio.sleep(0)
            time.sleep(0.2)  # the answer is there, and nobody has read it
            for _ in range(rounds):
                await asyncio.sleep(0)
            with suppress(TransientError):
                log.append(topic, 0, [(None, b"after")])
            await asyncio.sleep(0.5)
            assert stored(log, topic) == []

    uvloop.run(run())


def test_a_record_larger_than_any_topic_takes_is_refused_at_once(
    stack: Endpoints, make_topic: Callable[..., str]
) -> None:
    topic = make_topic()

    async def run() -> None:
        async with opened(stack.kafka) as log:
            with pytest.raises(HadronError, match=f"{topic}/0: MSG_SIZE_TOO_LARGE, 170000.. bytes"):
                log.append(topic, 0, [(None, bytes(17_000_000))])
            with pytest.raises(TransientError):
                log.poll()

    uvloop.run(run())


def test_records_of_many_batches_and_of_more_than_one_arrive_in_order(
    stack: Endpoints, make_topic: Callable[..., str]
) -> None:
    topic, told = make_topic(max_message_bytes="8000000"), list[int]()
    values = [*(os.urandom(10_000) for _ in range(500)), os.urandom(5_000_000), b"last"]

    async def run() -> None:
        async with opened(stack.kafka) as log:
            log.append(topic, 0, [(None, value) for value in values], placed=told.append)
            log.append(topic, 0, [(None, b"behind")], placed=told.append)
            await log.drain()
            assert [record.value for record in stored(log, topic)] == [*values, b"behind"]

    uvloop.run(run())
    assert told == [501, 502]


def test_copies_on_all_partitions_land_at_once_also_where_nobody_asked_for_the_topic_before(
    stack: Endpoints, make_topic: Callable[..., str]
) -> None:
    """A process that is killed between two of them would leave some partitions without."""
    topic, told = make_topic(partitions=4), list[int]()
    places = [(topic, partition) for partition in range(4)]

    async def run() -> None:
        async with opened(stack.kafka) as log:  # each partition has its leader then
            for place in places:
                log.append(*place, [(None, b"before")])
            await log.drain()
        async with opened(stack.kafka) as log:
            for place in places:
                log.append(*place, [(None, b"copy")], delivered=partial(told.append, place[1]))
            while not told:
                await log.wait(1)
            await log.close()
            assert list(log.ends(places).values()) == [2, 2, 2, 2]

    uvloop.run(run())


@pytest.mark.parametrize("partition", [0, 7])
def test_a_topic_or_partition_that_does_not_exist_is_told(
    stack: Endpoints, unique: str, make_topic: Callable[..., str], partition: int
) -> None:
    topic = make_topic() if partition else f"{unique}.missing"

    async def run() -> None:
        async with opened(stack.kafka) as log:
            log.append(topic, partition, [(None, b"v")])
            with pytest.raises(TransientError, match=f"{topic}/{partition} was refused"):
                await log.drain(30)

    uvloop.run(run())


def test_a_topic_that_is_deleted_is_told_and_asked_for_in_peace(
    stack: Endpoints, unique: str
) -> None:
    topic, admin = f"{unique}.deleted", AdminClient({"bootstrap.servers": stack.kafka})
    make_topics(admin, NewTopic(topic, 1, 1))

    async def run() -> float:
        async with opened(stack.kafka) as log:
            log.append(topic, 0, [(None, b"v")])
            await log.drain()
            await asyncio.to_thread(administration.delete, admin, [topic])
            log.append(topic, 0, [(None, b"v")])
            began_s = time.process_time()
            with pytest.raises(TransientError, match=f"{topic}/0 was refused: UnknownTopic"):
                await log.drain()
            return time.process_time() - began_s

    assert uvloop.run(run()) < SHORT_S / 2


def test_what_is_appended_while_kafka_is_down_is_stored_once_it_is_back() -> None:
    calls: list[str] = []
    with own_kafka(partitions=1) as (directory, at):

        async def run() -> None:
            async with opened(at) as log:
                log.append("facts", 0, [(None, b"1")], delivered=lambda: calls.append("before"))
                await log.drain()
                kill(directory)
                log.append(
                    "facts", 0, [(None, b"2"), (None, b"3")], delivered=lambda: calls.append("down")
                )
                with pytest.raises(TransientError, match="2 records are not on Kafka"):
                    await log.drain(3 * SHORT_S)
                log.append("facts", 0, [(None, b"4")])
                assert calls == ["before"]
                await asyncio.to_thread(start, directory)
                await log.drain()
                assert calls == ["before", "down"]
                found = [record.value for record in stored(log, "facts")]
                assert found == [b"1", b"2", b"3", b"4"]

        uvloop.run(run())


def test_a_broker_that_is_not_there_yet_is_waited_for() -> None:
    with own_kafka(partitions=1) as (directory, at):
        kill(directory)

        async def run() -> None:
            async with opened(at) as log:
                log.append("facts", 0, [(None, b"1")])
                with pytest.raises(TransientError, match="1 records are not on Kafka"):
                    await log.drain(3 * SHORT_S)
                await asyncio.to_thread(start, directory)
                await log.drain()
                assert [record.value for record in stored(log, "facts")] == [b"1"]

        uvloop.run(run())


def test_a_broker_killed_again_and_again_stores_all_once_in_order() -> None:
    seed = 20_261_122
    draw, number = random.Random(seed), count()
    with own_kafka(partitions=3) as (directory, at):

        async def append(log: KafkaLoopLog, until_s: float) -> None:
            while time.monotonic() < until_s:
                for partition in range(3):
                    records = [(None, b"%d" % next(number)) for _ in range(draw.randint(1, 50))]
                    log.append("facts", partition, records)
                await asyncio.sleep(draw.choice((0, 0, 0.001, 0.01)))

        async def run() -> None:
            async with opened(at) as log:
                for _ in range(3):
                    await append(log, time.monotonic() + draw.uniform(0.2, 0.6))
                    kill(directory)
                    starting = asyncio.create_task(asyncio.to_thread(start, directory))
                    await append(log, time.monotonic() + 0.3)
                    await starting
                await log.drain(60)
                found = [
                    [int(record.value or b"") for record in stored(log, "facts", partition)]
                    for partition in range(3)
                ]
                assert all(numbers == sorted(numbers) for numbers in found), seed
                assert sorted(chain(*found)) == list(range(next(number))), seed

        uvloop.run(run())


def test_waiting_for_a_broker_that_does_not_answer_takes_no_cpu_and_fills_the_log() -> None:
    with own_kafka(partitions=2) as (directory, at):

        async def run() -> None:
            async with opened(at, request_s=30) as log:
                log.append("facts", 0, [(None, b"first")])
                await log.drain()
                os.kill(pid_of(directory), signal.SIGSTOP)
                for number in range(100):
                    log.append("facts", number % 2, [(None, b"%d" % number)] * 10)
                    await log.wait(0.01)
                full = [log.full]
                began_s, until_s = time.process_time(), time.monotonic() + 2
                while time.monotonic() < until_s:
                    await log.wait(0.05)
                taken_s = time.process_time() - began_s
                log.append("facts", 0, [(None, b"x")] * MOST_RECORDS)
                full.append(log.full)
                os.kill(pid_of(directory), signal.SIGCONT)
                await log.drain()
                assert [*full, log.full] == [False, True, False]
                assert taken_s < 0.5
                wanted = {("facts", 0): 501 + MOST_RECORDS, ("facts", 1): 500}
                assert log.ends(wanted) == wanted

        uvloop.run(run())


def test_a_log_is_closed_while_the_broker_does_not_answer() -> None:
    with own_kafka(partitions=1) as (directory, at):

        async def run() -> float:
            async with opened(at, request_s=30) as log:
                log.append("facts", 0, [(None, b"first")])
                await log.drain()
                os.kill(pid_of(directory), signal.SIGSTOP)
                log.append("facts", 0, [(None, b"second")])
                await asyncio.sleep(0.1)
                began_s = time.monotonic()
            return time.monotonic() - began_s

        taken_s = uvloop.run(run())
        os.kill(pid_of(directory), signal.SIGCONT)
        assert taken_s < 5


def test_each_append_is_told_where_it_lies(
    stack: Endpoints, make_topic: Callable[..., str]
) -> None:
    """Appended between any two turns of the loop, so also when a batch has just been taken."""
    topic, told = make_topic(), list[tuple[int, int]]()
    sizes = [1 + number % 7 for number in range(2000)]

    def placed(number: int, offset: int) -> None:
        told.append((number, offset))

    async def run() -> None:
        async with opened(stack.kafka) as log:
            for number, size in enumerate(sizes):
                value = (None, b"%d" % number)
                log.append(topic, 0, [value] * size, placed=partial(placed, number))
                await asyncio.sleep(0)
            await log.drain()
            found = [int(record.value or b"") for record in stored(log, topic)]
            assert found == [number for number, size in enumerate(sizes) for _ in range(size)]

    uvloop.run(run())
    assert told == list(enumerate(offset - 1 for offset in accumulate(sizes)))


def test_records_appended_by_those_who_are_told_of_others_are_stored_by_the_same_drain(
    stack: Endpoints, make_topic: Callable[..., str]
) -> None:
    topic = make_topic()

    async def run() -> None:
        async with opened(stack.kafka) as log:

            def append(left: int) -> None:
                log.append(topic, 0, [(None, b"%d" % left)] * 10, delivered=partial(again, left))

            def again(left: int) -> None:
                if left:
                    append(left - 1)

            append(5)
            await log.drain()
            assert log.ends([(topic, 0)]) == {(topic, 0): 60}

    uvloop.run(run())


def test_who_waits_goes_on_at_once_when_something_is_stored(
    stack: Endpoints, make_topic: Callable[..., str]
) -> None:
    topic, calls = make_topic(), list[int]()

    async def run() -> float:
        async with opened(stack.kafka) as log:
            log.append(topic, 0, [(None, b"v")])
            await log.drain()
            log.append(topic, 0, [(None, b"v")], placed=calls.append)
            began_s = time.monotonic()
            while not calls:
                await log.wait(20)
            return time.monotonic() - began_s

    assert uvloop.run(run()) < 10


async def _append_for_ever(log: KafkaLoopLog, topic: str) -> None:
    """What is appended meanwhile waits behind what is refused."""
    while True:
        log.append(topic, 0, [(None, b"after")])
        await asyncio.sleep(0)


async def _made(settings: Settings, **more: Any) -> KafkaLoopLog:
    return KafkaLoopLog(settings, **more)


@asynccontextmanager
async def opened(kafka: str, *, request_s: float = SHORT_S) -> AsyncIterator[KafkaLoopLog]:
    """A log that is closed at the end."""
    log = KafkaLoopLog(Settings(kafka=kafka), request_s=request_s)
    try:
        yield log
    finally:
        await log.close()


def stored(log: KafkaLoopLog, topic: str, partition: int = 0) -> list[Record]:
    """All that a partition has."""
    place = (topic, partition)
    return list(log.read(*place, start=0, end=log.ends([place])[place]))
