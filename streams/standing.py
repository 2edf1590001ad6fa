"""Waits for the log without standing still, and tells who stood still for too long."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from hadron.ports import FactLog, Pulse
from hadron.sessions import Session

# Where nothing can be done until the log has taken something, we wait within its client, which
# returns at once then: looking again and again would take the core that the broker needs.
WAIT_S = 0.001
BREATH_S = 0.0005  # for the others on the loop: uvloop rounds it to none, simulated time has it


class Standing:
    """Knows when its process last did something; after its session, others own its partitions."""

    def __init__(self, process: str, *, log: FactLog, pulse: Pulse, session_s: float) -> None:
        self._log = log
        self._pulse = pulse
        self._session = Session(process, session_s, now_s=time.monotonic())

    def check(self) -> None:
        """Count as alive now. Raise HadronError if we stood still for longer than a session."""
        self._session.check(time.monotonic())

    async def until(self, true: Callable[[], bool]) -> None:
        """Serve the log until something is true. To wait for Kafka is not to stand still."""
        while not true():
            self._log.poll(WAIT_S)
            await asyncio.sleep(BREATH_S)
            self.check()
            self._pulse.beat()
