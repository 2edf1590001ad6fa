"""When the entries of a log are due in a replay of it."""

from __future__ import annotations

from enum import StrEnum
from math import inf

import msgspec


class Speed(StrEnum):
    """How fast events are taken, against the pace of their receipt."""

    X1 = "1x"
    X10 = "10x"
    X100 = "100x"
    MAX = "max"

    @property
    def factor(self) -> float:
        """Seconds of the log that pass in one of ours; inf for as fast as can be."""
        return inf if self is Speed.MAX else float(self.value.removesuffix("x"))


class Pace(msgspec.Struct, frozen=True):
    """Time of the log: it was `at_ms` when it was `at_s` of ours, and goes on by `speed`."""

    speed: Speed
    playing: bool = True
    at_ms: float = 0.0
    at_s: float = 0.0

    def due_ms(self, now_s: float) -> float:
        """What is stamped up to it is due: inf for all, -inf for nothing while it is paused."""
        if not self.playing:
            return -inf
        if self.speed is Speed.MAX:
            return inf
        return self.at_ms + (now_s - self.at_s) * 1000 * self.speed.factor
