"""Kafka in one process: partitions, producers whose records land late, groups that rebalance."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from connectors.memory import MemoryLog
from hadron.ports import Record
from tests.simulation.clock import Life, Loop
from tests.support import T0_NS

Place = tuple[str, int]
Pairs = Sequence[tuple[str | bytes | None, bytes | None]]

LANDS_S = (0.0005, 0.008)
BREATH_S = 0.0005
SLOW_SHARE, SLOW_S = 0.1, 0.04


class Cluster:
    """What the brokers hold. While it is away nothing lands, and nothing is fetched."""

    def __init__(self, loop: Loop, trace: Callable[[str], None]) -> None:
        self.loop, self.trace = loop, trace
        self.log = MemoryLog(now_ms=lambda: T0_NS // 1_000_000 + int(loop.now * 1000))
        self.away_until = 0.0
        self.landed: list[Callable[[Place, Pairs], None]] = []
        self.in_flight = 0
        self.repeat: set[str] = set()  # topics whose next batch is stored twice
        self.repeated: set[str] = set()
        self._waiting: list[Any] = []

    def store(self, place: Place, records: Pairs, headers: Any = None) -> None:
        """Append to the partition, and wake those who wait for records."""
        if place[0] in self.repeat:  # a producer that does not know whether it came through
            self.repeat.discard(place[0])
            self.repeated.add(place[0])
            self.store(place, records, headers)
        first = self.log.ends([place])[place]
        self.log.append(*place, records, headers=headers)
        self.trace(f"stored {place[0]}/{place[1]} {first}+{len(records)}")
        for told in self.landed:
            told(place, records)
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)

    def next_record(self) -> Any:
        """A future that is done when anything is stored."""
        future = self.loop.create_future()
        self._waiting.append(future)
        return future

    def delay(self) -> float:
        """How long the next request takes."""
        draw = self.loop.draw
        longest = SLOW_S if draw.random() < SLOW_SHARE else LANDS_S[1]
        return max(0.0, self.away_until - self.loop.now) + draw.uniform(LANDS_S[0], longest)


class ProcessLog:
    """The FactLog and LoopLog of one process: one idempotent producer, and readers."""

    def __init__(self, cluster: Cluster, life: Life) -> None:
        self._cluster, self._life = cluster, life
        self._queues: dict[Place, deque[tuple[Pairs, Any, Any, Any]]] = {}
        self._delivered: deque[Callable[[], None]] = deque()

    def append(
        self,
        topic: str,
        partition: int,
        records: Pairs,
        *,
        timestamp_ms: int = 0,
        headers: Any = None,
        delivered: Callable[[], None] | None = None,
        placed: Callable[[int], None] | None = None,
    ) -> None:
        """See FactLog. What is appended to a partition lands there in its order.

        `placed` is called as `delivered` is, with the offset of the last record.
        """
        if self._life.dead:
            return
        if not records:
            if delivered is not None:
                self._delivered.append(delivered)
            return
        queue = self._queues.setdefault((topic, partition), deque())
        queue.append((records, headers, delivered, placed))
        self._cluster.in_flight += 1
        if len(queue) == 1:
            self._send((topic, partition))

    def poll(self, wait_s: float = 0.0) -> None:
        """See FactLog. No time passes."""
        for _ in range(len(self._delivered)):
            self._delivered.popleft()()

    @property
    def full(self) -> bool:
        """See LoopLog."""
        return False

    async def wait(self, wait_s: float) -> None:
        """See LoopLog. Not for longer than it takes others to have their turn."""
        self.poll()
        await asyncio.sleep(min(wait_s, BREATH_S))

    async def drain(self, timeout_s: float = 30.0) -> None:
        """See LoopLog. All lands at once."""
        self.flush()

    def flush(self, timeout_s: float = 30.0) -> None:
        """See FactLog. All lands at once."""
        for place, queue in self._queues.items():
            while queue:
                self._land(place)
        self.poll()

    def ends(self, partitions: Iterable[Place]) -> dict[Place, int]:
        """See FactLog."""
        return self._cluster.log.ends(partitions)

    def starts(self, partitions: Iterable[Place]) -> dict[Place, int]:
        """See FactLog."""
        return self._cluster.log.starts(partitions)

    def read(self, topic: str, partition: int, *, start: int, end: int) -> Iterator[Record]:
        """See FactLog."""
        return self._cluster.log.read(topic, partition, start=start, end=end)

    @property
    def in_flight(self) -> int:
        """Appends that have not landed."""
        return sum(map(len, self._queues.values()))

    def give_up(self) -> None:
        """The process is dead: of each partition some of what was on its way lands, in order."""
        for place, queue in self._queues.items():
            for _ in range(self._cluster.loop.draw.randint(0, len(queue))):
                self._land(place)
            self._cluster.in_flight -= len(queue)
            queue.clear()

    def _send(self, place: Place) -> None:
        def landed() -> None:
            if self._queues[place]:
                if self._cluster.away_until > self._cluster.loop.now:
                    self._send(place)
                    return
                self._land(place)
                if self._queues[place]:
                    self._send(place)

        self._life.run(self._cluster.loop.call_later, self._cluster.delay(), landed)

    def _land(self, place: Place) -> None:
        records, headers, delivered, placed = self._queues[place].popleft()
        self._cluster.in_flight -= 1
        self._cluster.store(place, records, headers)
        if placed is not None:
            last = self._cluster.log.ends([place])[place] - 1
            self._delivered.append(lambda: placed(last))
        if delivered is not None:
            self._delivered.append(delivered)
