"""The log in memory, on which replay and backtest run."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from hadron.errors import HadronError
from hadron.ports import Record


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


class MemoryLog:
    """A FactLog and LoopLog that ends with the process. Partitions exist once they are named."""

    def __init__(self, *, now_ms: Callable[[], int] = _now_ms) -> None:
        """`now_ms` stamps the records that come without a time."""
        self._now_ms = now_ms
        self._records: dict[tuple[str, int], list[Record]] = {}
        self._ends: dict[tuple[str, int], int] = {}
        self._starts: dict[tuple[str, int], int] = {}
        self._delivered: deque[Callable[[], None]] = deque()

    def append(
        self,
        topic: str,
        partition: int,
        records: Sequence[tuple[str | bytes | None, bytes | None]],
        *,
        timestamp_ms: int = 0,
        headers: Sequence[tuple[str, bytes]] | None = None,
        delivered: Callable[[], None] | None = None,
        placed: Callable[[int], None] | None = None,
    ) -> None:
        """See FactLog. Never blocks."""
        stored = self._records.setdefault((topic, partition), [])
        offset = self._ends.get((topic, partition), 0)
        at_ms, extra = timestamp_ms or self._now_ms(), tuple(headers or ())
        for key, value in records:
            raw_key = key.encode() if isinstance(key, str) else key
            stored.append(Record(topic, partition, offset, at_ms, raw_key, value, extra))
            offset += 1
        self._ends[topic, partition] = offset
        if placed is not None:
            self._delivered.append(partial(placed, offset - 1))
        if delivered is not None:
            self._delivered.append(delivered)

    def poll(self, wait_s: float = 0.0) -> None:
        """See FactLog. No time passes."""
        for _ in range(len(self._delivered)):
            self._delivered.popleft()()

    def flush(self, timeout_s: float = 30.0) -> None:
        """See FactLog."""
        self.poll()

    @property
    def full(self) -> bool:
        """See LoopLog."""
        return False

    async def wait(self, wait_s: float) -> None:
        """See LoopLog. Others have their turn."""
        self.poll()
        await asyncio.sleep(0)

    async def drain(self, timeout_s: float = 30.0) -> None:
        """See LoopLog."""
        self.poll()

    def ends(self, partitions: Iterable[tuple[str, int]]) -> dict[tuple[str, int], int]:
        """See FactLog. 0 for a partition that nobody wrote to."""
        return {place: self._ends.get(place, 0) for place in partitions}

    def starts(self, partitions: Iterable[tuple[str, int]]) -> dict[tuple[str, int], int]:
        """See FactLog. 0 for a partition that nobody wrote to."""
        return {place: self._starts.get(place, 0) for place in partitions}

    def read(self, topic: str, partition: int, *, start: int, end: int) -> Iterator[Record]:
        """See FactLog. Raise HadronError if records from `start` on have been deleted."""
        first = self._starts.get((topic, partition), 0)
        if start < min(first, end):
            raise HadronError(
                f"reading {topic}/{partition} from {start} to {end}: the first records were "
                f"deleted: it starts at {first}"
            )
        for record in self._records.get((topic, partition), ()):
            if start <= record.offset < end:
                yield record

    def compact(self, topic: str, partition: int) -> None:
        """Keep the last value of each key and no tombstone, as Kafka's cleaner does in time."""
        stored = self._records.get((topic, partition), [])
        last = {record.key: record.offset for record in stored}
        self._records[topic, partition] = [
            record
            for record in stored
            if record.value is not None and last[record.key] == record.offset
        ]

    def delete_before(self, topic: str, partition: int, offset: int) -> None:
        """Delete the records before `offset`, as Kafka does when retention ends."""
        place = (topic, partition)
        self._starts[place] = max(offset, self._starts.get(place, 0))
        self._records[place] = [
            record for record in self._records.get(place, ()) if record.offset >= offset
        ]
