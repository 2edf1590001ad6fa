"""A journal's slices again, in its order."""

from __future__ import annotations

from collections.abc import Iterable

from connectors.memory import MemoryLog
from hadron.audit.facts import SequencedSlice, SlicesSequenced
from hadron.audit.journal import followed
from hadron.ports import Record


def entry(*slices: tuple[str, int, int]) -> SlicesSequenced:
    return SlicesSequenced("engine", [SequencedSlice(*one) for one in slices])


def a_log(**counts: int) -> MemoryLog:
    log = MemoryLog(now_ms=lambda: 1)
    for topic, count in counts.items():
        log.append(topic, 0, [(f"k{n}", f"{topic}{n}".encode()) for n in range(count)])
    return log


def values(entries: list[SlicesSequenced], log: MemoryLog) -> list[list[tuple[str, list[bytes]]]]:
    def read(topic: str, first: int, end: int) -> Iterable[Record]:
        return log.read(topic, 0, start=first, end=end)

    return [
        [(topic, [record.value or b"" for record in records]) for topic, records in slices]
        for slices in followed(entries, read)
    ]


def test_slices_come_in_the_order_of_the_journal_not_of_the_topics() -> None:
    entries = [entry(("cold", 0, 1), ("fast", 0, 2)), entry(("cold", 1, 3))]

    assert values(entries, a_log(fast=2, cold=3)) == [
        [("cold", [b"cold0"]), ("fast", [b"fast0", b"fast1"])],
        [("cold", [b"cold1", b"cold2"])],
    ]


def test_records_before_the_first_entry_and_behind_the_last_are_not_read() -> None:
    assert values([entry(("fast", 2, 3))], a_log(fast=9)) == [[("fast", [b"fast2"])]]


def test_a_slice_that_was_said_twice_is_given_once() -> None:
    entries = [entry(("fast", 0, 2)), entry(("fast", 0, 3))]

    assert values(entries, a_log(fast=3)) == [
        [("fast", [b"fast0", b"fast1"])],
        [("fast", [b"fast2"])],
    ]


def test_records_that_were_compacted_away_leave_the_others() -> None:
    log = MemoryLog(now_ms=lambda: 1)
    log.append("control", 0, [("a", b"1"), ("b", b"2"), ("a", b"3")])
    log.compact("control", 0)

    assert values([entry(("control", 0, 1)), entry(("control", 1, 3))], log) == [
        [],
        [("control", [b"2", b"3"])],
    ]
