"""What was stepped, in the order that a journal says: its slices again, with their records."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from operator import attrgetter

from hadron.audit.facts import SequencedSlice, SlicesSequenced
from hadron.ports import Record

AT_ONCE = 1_000  # records that are held of a source
_offset = attrgetter("offset")
# The records of a topic from an offset up to, not including, another.
Read = Callable[[str, int, int], Iterable[Record]]


def followed(
    entries: Sequence[SlicesSequenced], read: Read, *, at_once: int = AT_ONCE
) -> Iterator[Iterator[tuple[str, list[Record]]]]:
    """Of each entry its slices, as topic and records, in their order; to be used up in turn.

    `read` is asked once for each topic, for all that the entries have of it, of which `at_once`
    records are held. Records that an earlier slice had, too, or that are compacted away, are not
    given.
    """
    bounds: dict[str, tuple[int, int]] = {}
    for entry in entries:
        for slice in entry.slices:
            first, end = bounds.get(slice.topic, (slice.first, slice.end))
            bounds[slice.topic] = min(first, slice.first), max(end, slice.end)
    sources = {topic: _Source(read(topic, *bound), at_once) for topic, bound in bounds.items()}
    for entry in entries:
        yield _of(entry, sources)


def _of(entry: SlicesSequenced, sources: dict[str, _Source]) -> Iterator[tuple[str, list[Record]]]:
    for slice in entry.slices:
        if records := sources[slice.topic].take(slice):
            yield slice.topic, records


class _Source:
    """Records of one partition, taken in their order."""

    def __init__(self, records: Iterable[Record], at_once: int) -> None:
        self._records = iter(records)
        self._at_once = at_once
        self._some: list[Record] = []
        self._at = 0  # what is before it was passed

    def take(self, slice: SequencedSlice) -> list[Record]:
        while not self._some or self._some[-1].offset < slice.end:
            if not (more := list(islice(self._records, self._at_once))):
                break
            self._some, self._at = self._some[self._at :] + more, 0
        first = self._at = self._place(slice.first)
        self._at = self._place(slice.end)
        return self._some[first : self._at]

    def _place(self, offset: int) -> int:
        some, at = self._some, self._at
        if at == len(some):
            return at
        place = at + offset - some[at].offset  # where no record is missing; else it is nearer
        if place <= at:
            return at
        if place <= len(some) and some[place - 1].offset == offset - 1:
            return place
        return bisect_left(some, offset, at, min(place, len(some)), key=_offset)
