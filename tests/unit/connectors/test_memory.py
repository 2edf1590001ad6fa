"""The log in memory does what every FactLog does, and what Kafka does to old records."""

from __future__ import annotations

import pytest

from connectors.memory import MemoryLog
from hadron.ports import FactLog
from tests.contracts.fact_log import FactLogContract


class TestMemoryLog(FactLogContract):
    @pytest.fixture
    def log(self) -> MemoryLog:
        return MemoryLog()

    @pytest.fixture
    def topic(self) -> str:
        return "facts"

    def leave_gap(self, log: FactLog, topic: str) -> None:
        assert isinstance(log, MemoryLog)
        log.append(topic, 0, [("gone", None)])
        log.compact(topic, 0)

    def delete_before(self, log: FactLog, topic: str, offset: int) -> None:
        assert isinstance(log, MemoryLog)
        log.delete_before(topic, 0, offset)


def test_compaction_keeps_the_last_value_of_each_key_at_its_offset() -> None:
    log = MemoryLog(now_ms=lambda: 1)
    log.append("facts", 0, [("a", b"1"), ("b", b"1"), ("a", b"2"), ("c", None)])

    log.compact("facts", 0)

    found = [(r.offset, r.key, r.value) for r in log.read("facts", 0, start=0, end=4)]
    assert found == [(1, b"b", b"1"), (2, b"a", b"2")]
    assert log.starts([("facts", 0)]) == {("facts", 0): 0}
    assert log.ends([("facts", 0)]) == {("facts", 0): 4}
