"""Waiting slices by lane: FAST before WARM before COLD, a bounded share for the later ones."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from streams.batching import Fetch
from streams.ranks import COLD, OTHER, WARM

# Of each round of turns, while the lanes before never run empty, these go to a later lane first.
ROUND = 16
FIRST_IN_TURN: Mapping[int, int] = {7: WARM, 15: COLD}


class Waiting(msgspec.Struct):
    """A fetched slice, and how far it has been taken."""

    topic: str
    partition: int
    records: Sequence[Any]
    fetch: Fetch  # told after the checkpoint
    taken: int = 0


class Turn(NamedTuple):
    """Records to be stepped together, and the slice they are of; `last`: it has no more."""

    slice: Waiting
    records: Sequence[Any]
    last: bool


class Lanes:
    """Queues by rank."""

    def __init__(self, rank: Mapping[str, int], *, turn: Mapping[int, int]) -> None:
        """`turn` is how many records one turn of each rank takes at most."""
        self._rank = rank
        self._turn = turn
        self._queues: tuple[deque[Waiting], ...] = tuple(deque() for _ in range(4))
        self._turns = 0
        self.waiting: dict[tuple[str, int], int] = {}

    def put(self, slice: Waiting) -> None:
        """Add a slice behind those of its lane."""
        self._queues[self.rank_of(slice)].append(slice)
        place = (slice.topic, slice.partition)
        self.waiting[place] = self.waiting.get(place, 0) + len(slice.records)

    def rank_of(self, slice: Waiting) -> int:
        """The rank of a slice's topic."""
        return self._rank.get(slice.topic, OTHER)

    def take(self, but: int | None = None) -> Turn | None:
        """The next turn; None if nothing waits.

        Slices of the rank `but` go on waiting.
        """
        for rank in self._order():
            queue = self._queues[rank]
            if queue and rank != but:
                return self._some(queue, self._turn[rank])
        return None

    def records(self, rank: int) -> int:
        """How many records of a rank wait."""
        return sum(len(slice.records) - slice.taken for slice in self._queues[rank])

    def __bool__(self) -> bool:
        return any(self._queues)

    def _order(self) -> Iterator[int]:
        preferred = FIRST_IN_TURN.get(self._turns % ROUND)
        self._turns += 1
        if preferred is not None and not self._queues[0]:
            yield preferred
        yield from range(4)

    def _some(self, queue: deque[Waiting], most: int) -> Turn:
        slice = queue[0]
        start, slice.taken = slice.taken, min(slice.taken + most, len(slice.records))
        last = slice.taken == len(slice.records)
        if last:
            queue.popleft()
        self.waiting[slice.topic, slice.partition] -= slice.taken - start
        return Turn(slice, slice.records[start : slice.taken], last)
