"""Copies raw events into topics of a replay, one by one, by their stamps."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Mapping

from hadron.audit.copies import Copies
from hadron.cli.replay.bounds import Place
from hadron.cli.replay.span import Places, Span
from hadron.ports import FactLog, Record
from hadron.topics import Names

_TOLD_EVERY = 1000  # copies


class Copying:
    """The records of a span that are still to be copied; those of a partition in their order.

    Each copy has the partition, stamp, key and bytes of its record.
    """

    def __init__(self, span: Span, names: Names, log: FactLog) -> None:
        self.copies: Mapping[Place, Copies] = {place: Copies() for place in span.first}
        self._span = span
        self._names = names
        self._log = log
        self._records: dict[Place, Iterator[Record]] = {}
        self._heads: dict[Place, Record] = {}  # the next of each partition that has one
        self._queue: list[tuple[int, Place]] = []  # their stamps, as a heap

    def begin(self) -> None:
        """Read the first of each partition."""
        for place, first in self._span.first.items():
            if first < (end := self._span.end[place]):
                self._records[place] = iter(self._log.read(*place, start=first, end=end))
                self._pull(place)
        self._sort()

    @property
    def next_ms(self) -> int | None:
        """The stamp of the next; None if all are copied."""
        return self._queue[0][0] if self._queue else None

    @property
    def next(self) -> Places:
        """The offset of the next of each partition that has something to copy."""
        return {place: self._at(place) for place in self._records}

    def copy(self) -> None:
        """Copy the next of all; there is one."""
        _, place = heapq.heappop(self._queue)
        self._copy(place)
        if place in self._heads:
            heapq.heappush(self._queue, (self._heads[place].timestamp_ms, place))

    def hurry(self, until: Places, *, told: Callable[[], None]) -> None:
        """Copy all before these offsets, by their stamps; `told` is called now and then."""
        self._queue = [
            (head.timestamp_ms, place)
            for place, head in self._heads.items()
            if head.offset < until.get(place, 0)
        ]
        heapq.heapify(self._queue)
        count = 0
        while self._queue:
            _, place = heapq.heappop(self._queue)
            self._copy(place)
            head = self._heads.get(place)
            if head is not None and head.offset < until[place]:
                heapq.heappush(self._queue, (head.timestamp_ms, place))
            count += 1
            if count % _TOLD_EVERY == 0:
                self._log.poll()
                told()
        self._sort()

    def _copy(self, place: Place) -> None:
        record = self._heads[place]
        self.copies[place].add(record.offset)
        self._log.append(
            self._names.read(record.topic),
            record.partition,
            [(record.key, record.value)],
            timestamp_ms=record.timestamp_ms,
        )
        self._pull(place)

    def _pull(self, place: Place) -> None:
        record = next(self._records[place], None)
        if record is None:
            self._heads.pop(place, None)
        else:
            self._heads[place] = record

    def _sort(self) -> None:
        self._queue = [(head.timestamp_ms, place) for place, head in self._heads.items()]
        heapq.heapify(self._queue)

    def _at(self, place: Place) -> int:
        head = self._heads.get(place)
        return self._span.end[place] if head is None else head.offset
