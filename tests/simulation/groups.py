"""A consumer group: who owns which partitions in which generation, and what is committed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from tests.simulation.clock import Life, Loop
from tests.simulation.cluster import Place

HEARTBEAT_S = 0.1

Committed = Callable[[str, Place, int], None]


class Member:
    """One process in the group. Its callbacks are as a client's: revoked, then assigned."""

    def __init__(
        self,
        life: Life,
        *,
        revoked: Callable[[], Awaitable[None]],
        assigned: Callable[[Sequence[Place], int], Awaitable[None]],
    ) -> None:
        self.life = life
        self.revoked, self.assigned = revoked, assigned
        self.generation = 0
        self.places: tuple[Place, ...] = ()
        self.task: Any = None


class Group:
    """Eager rebalancing: all members give everything back, then all get their part."""

    def __init__(
        self,
        loop: Loop,
        name: str,
        topics: Sequence[str],
        *,
        partitions: int,
        session_s: float,
        trace: Callable[[str], None],
        committed: Committed,
    ) -> None:
        self.name = name
        self.offsets: dict[Place, int] = {}
        self.generation = 0
        self.settled = True
        self._stable = 0  # the last generation that everybody had his part of
        self._loop, self._trace, self._told = loop, trace, committed
        self.partitions = partitions
        self._topics, self._session_s = topics, session_s
        self._members: list[Member] = []
        self._joined: list[Member] = []

    def join(self, member: Member) -> None:
        """Come in; a rebalance begins."""
        self._members.append(member)
        member.task = member.life.run(self._loop.create_task, self._rejoin(member, holds=False))
        self._rebalance(f"{member.life.name} joins")

    def leave(self, member: Member) -> None:
        """Go, by own will or because of silence; a rebalance begins."""
        if member in self._members:
            self._members.remove(member)
            self._rebalance(f"{member.life.name} leaves")

    def expire(self, member: Member) -> None:
        """Take a member for dead when its session has ended."""
        self._loop.call_later(self._session_s, self.leave, member)

    def commit(self, member: Member, offsets: Mapping[Place, int]) -> bool:
        """False, and nothing is committed, for a member of an old generation."""
        if member not in self._members or member.generation != self._stable:
            self._trace(f"{member.life.name} commits too late")
            return False
        for place, offset in sorted(offsets.items()):
            self._told(self.name, place, offset)
            self.offsets[place] = offset
        return True

    @property
    def empty(self) -> bool:
        """Whether nobody is in it."""
        return not self._members

    def _rebalance(self, why: str) -> None:
        self.generation += 1
        self.settled = False
        self._joined = []
        self._trace(f"{self.name} generation {self.generation}: {why}")
        for member in self._members:
            if member.task is None or member.task.done():
                member.task = member.life.run(self._loop.create_task, self._rejoin(member))

    async def _rejoin(self, member: Member, *, holds: bool = True) -> None:
        while member in self._members and member.generation != self.generation:
            await asyncio.sleep(self._loop.draw.uniform(0, HEARTBEAT_S))
            if holds:
                await member.revoked()
                holds = False
            generation = self.generation
            if member in self._members and member not in self._joined:
                self._joined.append(member)
            if len(self._joined) == len(self._members):
                self._assign()
            while not self.settled and generation == self.generation:
                await asyncio.sleep(0.005)
            if generation == self.generation and member in self._members:
                member.generation, holds = generation, True
                await member.assigned(member.places, generation)

    def _assign(self) -> None:
        self.settled, self._stable = True, self.generation
        for index, member in enumerate(self._members):
            parts = range(index, self.partitions, len(self._members))
            member.places = tuple((topic, part) for topic in self._topics for part in parts)
            owned = ",".join(map(str, parts))
            self._trace(f"{self.name}/{self.generation}: {member.life.name} owns {owned}")
