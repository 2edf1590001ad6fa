"""How far a group has come between two places on the log, and waiting until it is there."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from hadron.cli.replay.span import Places

if TYPE_CHECKING:
    from confluent_kafka.admin import AdminClient


class Passage(msgspec.Struct, frozen=True):
    """Records that a group has taken and committed since `first`, and those left to the goal."""

    taken: int
    left: int


def passage(admin: AdminClient, group: str, *, first: Places, goal: Places) -> Passage:
    """Ask Kafka. What lies behind the goal is not counted."""
    from connectors.kafka.groups import committed

    done = committed(admin, group)
    taken = left = 0
    for place, end in goal.items():
        start = first[place]
        at = min(max(done.get(place, start), start), end)
        taken += at - start
        left += end - at
    return Passage(taken, left)


class Patience:
    """Ends when something is left, and has been for some time without any of it being taken."""

    def __init__(self, for_s: float, now_s: Callable[[], float] = time.monotonic) -> None:
        self._for_s = for_s
        self._now_s = now_s
        self._most = -1
        self._since_s = now_s()

    def ended(self, seen: Passage) -> bool:
        """Take how far it is now."""
        now_s = self._now_s()
        if seen.taken > self._most or not seen.left:
            self._most, self._since_s = seen.taken, now_s
        return now_s - self._since_s > self._for_s


def settled(look: Callable[[], Passage], *, patience_s: float, every_s: float) -> int:
    """Wait until nothing is left, or that gets nowhere; return what is left."""
    patience = Patience(patience_s)
    seen = look()
    while seen.left and not patience.ended(seen):
        time.sleep(every_s)
        seen = look()
    return seen.left
