"""A journal's slices again, in its order."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import accumulate, pairwise

from hypothesis import given
from hypothesis import strategies as st

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


@given(
    st.lists(st.integers(1, 4), min_size=1, max_size=40),
    st.sets(st.integers(0, 160)),
    st.integers(1, 9),
)
def test_slices_have_what_is_left_of_their_records(
    lengths: list[int], compacted: set[int], at_once: int
) -> None:
    bounds = list(pairwise([0, *accumulate(lengths)]))
    kept = [n for n in range(bounds[-1][1]) if n not in compacted]
    records = [Record("control", 0, n, 1, None, b"%d" % n) for n in kept]

    found = followed(
        [entry(("control", first, end)) for first, end in bounds],
        lambda topic, first, end: records,
        at_once=at_once,
    )

    assert [[r.offset for _, some in slices for r in some] for slices in found] == [
        [n for n in kept if first <= n < end] for first, end in bounds
    ]
