"""A reader that keeps its consumers reads what the log reads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from connectors.kafka.connection import configuration
from connectors.kafka.following import FollowingReader
from connectors.kafka.groups import Admin, committed
from connectors.kafka.log import KafkaLog
from connectors.local.stack import Endpoints
from hadron.ports import FactLog, Record
from hadron.settings import Settings
from tests.contracts.fact_log import FactLogContract
from tests.integration.test_kafka_log import TestKafkaLog as OfKafka


class Both(KafkaLog):
    """Written as the log is, read by a reader that follows."""

    def __init__(self, connection: dict[str, Any], group: str) -> None:
        super().__init__(connection)
        self.reader = FollowingReader(connection, group)

    def ends(self, partitions: Iterable[tuple[str, int]]) -> dict[tuple[str, int], int]:
        return self.reader.ends(partitions)

    def starts(self, partitions: Iterable[tuple[str, int]]) -> dict[tuple[str, int], int]:
        return self.reader.starts(partitions)

    def read(self, topic: str, partition: int, *, start: int, end: int) -> Iterator[Record]:
        return self.reader.read(topic, partition, start=start, end=end)


class TestFollowingReader(FactLogContract):
    leave_gap = OfKafka.leave_gap
    delete_before = OfKafka.delete_before

    @pytest.fixture
    def log(self, stack: Endpoints, unique: str) -> Iterator[Both]:
        self.at = configuration(Settings(kafka=stack.kafka))
        log = Both(self.at, unique)
        yield log
        log.flush()
        log.reader.close()
        log.close()

    @pytest.fixture
    def topic(self, make_topic: Callable[..., str]) -> str:
        return make_topic(partitions=2)

    def test_it_says_how_far_it_is_in_the_name_of_its_group(
        self, log: Both, topic: str, unique: str
    ) -> None:
        log.append(topic, 1, [(None, b"x")] * 9)
        log.flush()

        assert len(list(log.read(topic, 1, start=2, end=7))) == 5
        log.reader.commit({(topic, 1): 7, (topic, 0): 0})

        assert committed(Admin(self.at), unique) == {(topic, 1): 7, (topic, 0): 0}

    def test_short_ranges_again_and_again_have_each_record_once(
        self, log: FactLog, topic: str
    ) -> None:
        found: list[bytes | None] = []
        for number in range(40):
            end = number // 2 + 1
            log.append(topic, number % 2, [(None, b"%d" % number)])
            log.flush()
            found += [r.value for r in log.read(topic, number % 2, start=end - 1, end=end)]

        assert found == [b"%d" % number for number in range(40)]
