"""What every FactLog does."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod

import pytest

from hadron.errors import HadronError
from hadron.ports import FactLog


class FactLogContract(ABC):
    """Override the fixtures `log` and `topic` (new, with two partitions) and the two methods."""

    @abstractmethod
    def leave_gap(self, log: FactLog, topic: str) -> None:
        """Make partition 0 end with an offset that holds no record."""

    @abstractmethod
    def delete_before(self, log: FactLog, topic: str, offset: int) -> None:
        """Delete the first records of partition 0."""

    def test_records_are_read_as_they_were_appended(self, log: FactLog, topic: str) -> None:
        headers = [("traceparent", b"00-1-2-01"), ("twice", b"1"), ("twice", b"2")]

        log.append(topic, 1, [("text", b"a"), (b"raw", b""), (None, b"b")], timestamp_ms=1_700)
        log.append(topic, 1, [("gone", None)], timestamp_ms=1_800, headers=headers)
        log.flush()

        found = list(log.read(topic, 1, start=0, end=4))
        assert [(r.topic, r.partition, r.offset) for r in found] == [
            (topic, 1, offset) for offset in range(4)
        ]
        assert [(r.key, r.value) for r in found] == [
            (b"text", b"a"),
            (b"raw", b""),
            (None, b"b"),
            (b"gone", None),
        ]
        assert [r.timestamp_ms for r in found] == [1_700, 1_700, 1_700, 1_800]
        assert [list(r.headers) for r in found] == [[], [], [], headers]

    def test_a_record_without_a_time_gets_the_time_of_now(self, log: FactLog, topic: str) -> None:
        before = time.time_ns() // 1_000_000

        log.append(topic, 0, [("k", b"v")])
        log.flush()

        [record] = log.read(topic, 0, start=0, end=1)
        assert before <= record.timestamp_ms <= time.time_ns() // 1_000_000

    def test_appends_keep_their_order_within_a_partition(self, log: FactLog, topic: str) -> None:
        for number in range(3000):
            log.append(topic, number % 2, [(None, b"%d" % number)])
        log.flush()

        for partition in (0, 1):
            found = [r.value for r in log.read(topic, partition, start=0, end=1500)]
            assert found == [b"%d" % number for number in range(partition, 3000, 2)]

    def test_delivered_is_called_once_by_poll_after_all_of_its_records_are_stored(
        self, log: FactLog, topic: str
    ) -> None:
        ends: list[int] = []

        def delivered() -> None:
            ends.append(log.ends([(topic, 0)])[topic, 0])

        log.append(topic, 0, [(None, b"x")] * 700, delivered=delivered)
        before_poll = list(ends)
        deadline = time.monotonic() + 30
        while not ends and time.monotonic() < deadline:
            log.poll()
        log.flush()

        assert before_poll == []
        assert ends == [700]

    def test_flush_calls_what_poll_would(self, log: FactLog, topic: str) -> None:
        order: list[str] = []

        log.append(topic, 0, [(None, b"1")], delivered=lambda: order.append("first"))
        log.append(topic, 0, [(None, b"2")], delivered=lambda: order.append("second"))
        log.flush()

        assert order == ["first", "second"]

    def test_an_append_of_nothing_is_delivered_by_the_next_poll(
        self, log: FactLog, topic: str
    ) -> None:
        calls: list[int] = []

        log.append(topic, 0, [], delivered=lambda: calls.append(1))
        before_poll = list(calls)
        log.poll()
        log.poll()

        assert (before_poll, calls) == ([], [1])
        assert log.ends([(topic, 0)]) == {(topic, 0): 0}

    def test_ends_and_starts_speak_of_each_partition(self, log: FactLog, topic: str) -> None:
        places = [(topic, 0), (topic, 1)]

        log.append(topic, 1, [(None, b"x")] * 5)
        log.flush()

        assert log.ends(places) == {(topic, 0): 0, (topic, 1): 5}
        assert log.starts(places) == {(topic, 0): 0, (topic, 1): 0}
        assert log.ends([]) == {}

    def test_reading_stops_before_the_end_it_is_given(self, log: FactLog, topic: str) -> None:
        log.append(topic, 0, [(None, b"%d" % number) for number in range(10)])
        log.flush()

        assert [r.offset for r in log.read(topic, 0, start=3, end=6)] == [3, 4, 5]
        assert list(log.read(topic, 0, start=4, end=4)) == []

    def test_reading_may_be_given_up_half_way(self, log: FactLog, topic: str) -> None:
        log.append(topic, 0, [(None, b"%d" % number) for number in range(10)])
        log.flush()

        for record in log.read(topic, 0, start=0, end=10):
            if record.offset == 2:
                break

        assert [r.offset for r in log.read(topic, 0, start=8, end=10)] == [8, 9]

    def test_reading_passes_over_gaps_also_at_the_end(self, log: FactLog, topic: str) -> None:
        log.append(topic, 0, [("kept", b"0")])
        log.flush()
        self.leave_gap(log, topic)
        log.append(topic, 0, [("later", b"2")])
        log.flush()
        self.leave_gap(log, topic)
        end = log.ends([(topic, 0)])[topic, 0]

        found = list(log.read(topic, 0, start=0, end=end))

        values = [record.value for record in found]
        assert values[0] == b"0"
        assert b"2" in values
        assert len(found) < end
        assert found[-1].offset < end - 1
        assert list(log.read(topic, 0, start=end - 1, end=end)) == []

    def test_reading_what_was_deleted_is_refused(self, log: FactLog, topic: str) -> None:
        log.append(topic, 0, [(None, b"%d" % number) for number in range(10)])
        log.flush()

        self.delete_before(log, topic, 4)

        assert log.starts([(topic, 0)]) == {(topic, 0): 4}
        assert log.ends([(topic, 0)]) == {(topic, 0): 10}
        assert [r.offset for r in log.read(topic, 0, start=4, end=10)] == [4, 5, 6, 7, 8, 9]
        with pytest.raises(HadronError, match="deleted"):
            list(log.read(topic, 0, start=3, end=10))
