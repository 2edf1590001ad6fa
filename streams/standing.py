"""Waits for the log without standing still, and tells who stood still for too long."""

from __future__ import annotations

import time
from collections.abc import Callable

from hadron.ports import LoopLog, Pulse
from hadron.sessions import Session

WAIT_S = 0.05  # at most, between two signs of life


class Standing:
    """Knows when its process last did something; after its session, others own its partitions."""

    def __init__(self, process: str, *, log: LoopLog, pulse: Pulse, session_s: float) -> None:
        self._log = log
        self._pulse = pulse
        self._session = Session(process, session_s, now_s=time.monotonic())

    def check(self) -> None:
        """Count as alive now. Raise HadronError if we stood still for longer than a session."""
        self._session.check(time.monotonic())

    async def until(self, true: Callable[[], bool]) -> None:
        """Serve the log until it made something true. To wait for it is not to stand still."""
        while not true():
            await self._log.wait(WAIT_S)
            self.check()
            self._pulse.beat()
