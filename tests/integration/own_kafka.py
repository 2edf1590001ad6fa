"""A broker of one test, which may harm it, and what every log on Kafka is tested by."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from connectors.local import stack as local
from hadron.ports import FactLog
from tests.contracts.fact_log import FactLogContract
from tests.integration.making_topics import make_topics


@contextmanager
def own_kafka(*, partitions: int) -> Iterator[tuple[Path, str]]:
    """A broker that a test may harm, with the topic `facts`: its directory and its address."""
    directory = Path(tempfile.mkdtemp(prefix="hadron-kafka-"))
    try:
        at = start(directory)
        admin = AdminClient({"bootstrap.servers": at})
        make_topics(admin, NewTopic("facts", partitions, 1))
        yield directory, at
    finally:
        local.down(directory, progress=lambda _: None)
        shutil.rmtree(directory)


def start(directory: Path) -> str:
    """Start the broker of a directory, also again; return its address."""
    return local.up(directory, need=frozenset({"kafka"}), progress=lambda _: None).kafka


def kill(directory: Path) -> None:
    """Kill the broker and wait until it is gone, and its port free for the next."""
    process = psutil.Process(pid_of(directory))
    process.kill()
    process.wait(30)


def pid_of(directory: Path) -> int:
    """The process of the broker."""
    broker = local.state(directory)["kafka"]
    assert broker is not None
    return broker.pid


class KafkaLogContract(FactLogContract):
    """Set `at`, how its clients reach Kafka."""

    at: dict[str, Any]

    def leave_gap(self, log: FactLog, topic: str) -> None:
        """By a transaction, whose marker takes an offset."""
        before = log.ends([(topic, 0)])[topic, 0]
        writer = Producer({**self.at, "transactional.id": uuid4().hex})
        writer.init_transactions(30)
        writer.begin_transaction()
        writer.produce(topic, b"transactional", partition=0)
        writer.commit_transaction(30)
        writer.close()
        deadline = time.monotonic() + 30  # its marker takes an offset, and may come later
        while log.ends([(topic, 0)])[topic, 0] < before + 2:
            assert time.monotonic() < deadline

    def delete_before(self, log: FactLog, topic: str, offset: int) -> None:
        """As an administrator does."""
        admin = AdminClient(self.at)
        for future in admin.delete_records([TopicPartition(topic, 0, offset)]).values():
            future.result(30)
