"""Where a replay's normalize reads raw events: the live ones, or copies made at a pace."""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from hadron.audit.copies import Copies
from hadron.cli.replay.bounds import Place
from hadron.cli.replay.span import Places, Span
from hadron.ports import FactLog, Record
from hadron.strategy.facts import DecisionMade
from hadron.topics import Names, paced_names, replay_names

if TYPE_CHECKING:
    from confluent_kafka.admin import AdminClient


Clock = tuple[Callable[[], float], Callable[[float], None]]  # the time in seconds, and to wait


class Source(Protocol):
    """Raw events of one replay."""

    names: Names
    raw: str  # the setting replay_raw
    offering: bool  # whether more will come

    def begin(self) -> None:
        """Before the processes start, once the topics exist."""

    def advance(self, for_s: float) -> None:
        """Return after about so long, having offered what was due."""

    def first(self) -> Places:
        """Where normalize begins, by the names that it reads."""

    def goal(self) -> Places:
        """Where what was offered ends, by the names that it reads."""

    def original(self, decision: DecisionMade) -> DecisionMade:
        """A decision of the replay, naming the live raw event that led to it."""


class Straight:
    """The live raw events themselves, as fast as they can be taken."""

    raw = "live"
    offering = False

    def __init__(self, run: str, span: Span, *, admin: AdminClient) -> None:
        self.names = replay_names(run)
        self._span = span
        self._admin = admin

    def begin(self) -> None:
        """Let the group of normalize begin at the offsets of the span."""
        from connectors.kafka.groups import reset

        reset(self._admin, self.names.group("normalize"), self._span.first)

    def advance(self, for_s: float) -> None:
        """Wait: there is nothing to do."""
        time.sleep(for_s)

    def first(self) -> Places:
        """See Source."""
        return self._span.first

    def goal(self) -> Places:
        """See Source. What was received after it may be read, too: nobody holds it back."""
        return self._span.end

    def original(self, decision: DecisionMade) -> DecisionMade:
        """See Source."""
        return decision


class Paced:
    """Copies of the raw events, each made when it is due: `speed` times as fast as received.

    The warm-up is copied at once. Each copy has the partition, stamp, key and bytes of its record.
    """

    raw = "copied"

    def __init__(
        self,
        run: str,
        span: Span,
        *,
        log: FactLog,
        speed: float,
        clock: Clock = (time.monotonic, time.sleep),
    ) -> None:
        self.names = paced_names(run)
        self._now_s, self._sleep = clock
        self.offering = True
        self._span = span
        self._log = log
        self._speed = speed
        self._copies: Mapping[Place, Copies] = {place: Copies() for place in span.first}
        self._records = _merged(log, span)
        self._next: Record | None = None
        self._begun_s = 0.0
        self._first_ms: int | None = None  # stamp of the first record that is paced

    def begin(self) -> None:
        """See Source. The run's own topics are read from their beginning."""
        self._next = next(self._records, None)

    def advance(self, for_s: float) -> None:
        """Copy what is due, and wait for what will be."""
        until_s = self._now_s() + for_s
        while (record := self._next) is not None:
            wait_s = self._due_s(record) - self._now_s()
            left_s = until_s - self._now_s()
            if left_s <= 0 or wait_s > left_s:
                break
            if wait_s > 0:
                self._log.poll()
                self._sleep(wait_s)
            self._copy(record)
            self._next = next(self._records, None)
        if self._next is None and self.offering:
            self._log.flush()
            self.offering = False
        self._log.poll()
        self._sleep(max(0.0, until_s - self._now_s()))

    def first(self) -> Places:
        """See Source."""
        return {(self.names.read(topic), partition): 0 for topic, partition in self._copies}

    def goal(self) -> Places:
        """See Source."""
        return {
            (self.names.read(topic), partition): copies.count
            for (topic, partition), copies in self._copies.items()
        }

    def original(self, decision: DecisionMade) -> DecisionMade:
        """See Source."""
        copies = self._copies[decision.raw_topic, decision.raw_partition]
        return msgspec.structs.replace(decision, raw_offset=copies.original(decision.raw_offset))

    def _due_s(self, record: Record) -> float:
        if record.offset < self._span.start[record.topic, record.partition]:
            return 0.0
        if self._first_ms is None:
            self._first_ms, self._begun_s = record.timestamp_ms, self._now_s()
        return self._begun_s + (record.timestamp_ms - self._first_ms) / 1000 / self._speed

    def _copy(self, record: Record) -> None:
        self._copies[record.topic, record.partition].add(record.offset)
        self._log.append(
            self.names.read(record.topic),
            record.partition,
            [(record.key, record.value)],
            timestamp_ms=record.timestamp_ms,
        )


def _merged(log: FactLog, span: Span) -> Iterator[Record]:
    """The records of the span by their stamps; those of a partition in their order."""
    read: list[Any] = [
        log.read(topic, partition, start=first, end=span.end[topic, partition])
        for (topic, partition), first in span.first.items()
        if first < span.end[topic, partition]
    ]
    return heapq.merge(*read, key=_stamp)


def _stamp(record: Record) -> int:
    return record.timestamp_ms
