"""What was stepped, in the order that a journal says: its slices again, with their records."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from hadron.audit.facts import SequencedSlice, SlicesSequenced
from hadron.ports import Record

# The records of a topic from an offset up to, not including, another.
Read = Callable[[str, int, int], Iterable[Record]]


def followed(
    entries: Sequence[SlicesSequenced], read: Read
) -> Iterator[Iterator[tuple[str, list[Record]]]]:
    """Of each entry its slices, as topic and records, in their order; to be used up in turn.

    `read` is asked once for each topic, for all that the entries have of it. Records that an
    earlier slice had, too, or that are compacted away, are not given.
    """
    bounds: dict[str, tuple[int, int]] = {}
    for entry in entries:
        for slice in entry.slices:
            first, end = bounds.get(slice.topic, (slice.first, slice.end))
            bounds[slice.topic] = min(first, slice.first), max(end, slice.end)
    sources = {topic: _Source(read(topic, *bound)) for topic, bound in bounds.items()}
    for entry in entries:
        yield _of(entry, sources)


def _of(entry: SlicesSequenced, sources: dict[str, _Source]) -> Iterator[tuple[str, list[Record]]]:
    for slice in entry.slices:
        if records := sources[slice.topic].take(slice):
            yield slice.topic, records


class _Source:
    """Records of one partition, taken in their order."""

    def __init__(self, records: Iterable[Record]) -> None:
        self._records = iter(records)
        self._next = next(self._records, None)

    def take(self, slice: SequencedSlice) -> list[Record]:
        found = []
        while self._next is not None and self._next.offset < slice.end:
            if self._next.offset >= slice.first:
                found.append(self._next)
            self._next = next(self._records, None)
        return found
