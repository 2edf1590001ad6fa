"""What Kafka's trips alone take of budget (c): its way at 1,000 records/s, with nothing computed.

The processes between a frame and its intent are replaced by relays that hand bytes on, with
librdkafka alone: no Faust, no decoding, no state. Where the real one writes a journal first, its
relay waits for a journal, too. What this takes is the least that the path takes on this machine.

Run: python -m tests.benchmarks.bench_trips [--seconds 20] [--rate 1000]
"""

from __future__ import annotations

import argparse
import multiprocessing
import time
from collections.abc import Mapping
from multiprocessing.synchronize import Event
from typing import Any

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from connectors.kafka.connection import configuration
from tests.benchmarks.showing import quantiles, show
from tests.integration.making_topics import make_topics
from tests.integration.platform import platform

PARTITIONS = 4  # one each for as many instruments
WARM_S = 5.0
# Who takes records from where, hands them on to where, and whether it writes a journal first:
# normalize, engine, desk, and who reads the intents.
RELAYS = (
    ("raw", "ticks", False),
    ("ticks", "decisions", True),
    ("decisions", "intents", True),
    ("intents", None, False),
)

Connection = Mapping[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--rate", type=int, default=1000, help="records/s")
    asked = parser.parse_args()
    spawn = multiprocessing.get_context("spawn")
    stopping, found = spawn.Event(), spawn.Queue()
    with platform() as alone:
        connection = configuration(alone.settings)
        _create_topics(connection)
        relays = [
            spawn.Process(target=_relay, args=(connection, *relay, stopping, found))
            for relay in RELAYS
        ]
        for relay in relays:
            relay.start()
        _send(connection, asked.rate, 2 * WARM_S + asked.seconds)
        stopping.set()
        waits = dict(found.get(timeout=30) for _ in relays)
        for relay in relays:
            relay.join(30)
    result: dict[str, Any] = {"records_per_s": asked.rate, "seconds": asked.seconds}
    for topic, *_ in RELAYS:
        result |= {f"{topic}_read_ms_{q}": ms for q, ms in quantiles(waits[topic]).items()}
    show(result)


def _create_topics(connection: Connection) -> None:
    names = [topic for topic, *_ in RELAYS]
    names += [_journal_of(topic) for topic, _, journal in RELAYS if journal]
    wanted = [NewTopic(f"trips.{name}", PARTITIONS, 1) for name in names]
    admin = AdminClient(dict(connection))
    make_topics(admin, *wanted)


def _journal_of(topic: str) -> str:
    return f"journal-{topic}"


def _send(connection: Connection, rate: int, seconds: float) -> None:
    producer = _producer(connection)
    started = time.monotonic()
    sent = 0
    while (passed := time.monotonic() - started) < seconds:
        while sent < passed * rate:
            value = time.time_ns().to_bytes(8, "big")
            producer.produce("trips.raw", value, partition=sent % PARTITIONS)
            sent += 1
        producer.poll(0)
        time.sleep(0.0005)
    producer.flush(10)


def _relay(
    connection: Connection, source: str, to: str | None, journal: bool, stopping: Event, found: Any
) -> None:
    """Hand on what comes; tell in how many milliseconds from its sending it came here."""
    waits: list[float] = []
    consumer = Consumer({**connection, "group.id": "trips"})
    consumer.assign([TopicPartition(f"trips.{source}", place, 0) for place in range(PARTITIONS)])
    producer = _producer(connection)
    warm_ns = time.time_ns() + int(2 * WARM_S * 1e9)
    while not stopping.is_set():
        first = consumer.poll(0.1)
        messages = [first, *consumer.consume(500, 0)] if first is not None else []
        now_ns = time.time_ns()
        if now_ns > warm_ns:
            sent = (int.from_bytes(message.value(), "big") for message in messages)
            waits += [(now_ns - sent_ns) / 1e6 for sent_ns in sent]
        if journal and messages:
            _write_journal(producer, source, {message.partition() for message in messages})
        for message in messages if to else ():
            producer.produce(f"trips.{to}", message.value(), partition=message.partition())
        producer.poll(0)
    producer.flush(10)
    consumer.close()
    found.put((source, waits))


def _write_journal(producer: Producer, source: str, partitions: set[int | None]) -> None:
    left = len(partitions)

    def placed(*_: Any) -> None:
        nonlocal left
        left -= 1

    for partition in partitions:
        topic = f"trips.{_journal_of(source)}"
        producer.produce(topic, b"sequenced", partition=partition, on_delivery=placed)
    while left:
        producer.poll(0.001)


def _producer(connection: Connection) -> Producer:
    return Producer(
        {
            **connection,
            "enable.idempotence": True,
            "acks": "all",
            "linger.ms": 0,
            "max.in.flight": 1,
        }
    )


if __name__ == "__main__":
    main()
