"""Whether a process is alive and ready, said by its loop and read by the HTTP server."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from threading import Lock
from typing import Any


class Health:
    """What a process knows about itself. Safe to use from any thread.

    `expected` checks are not ready until they are reported. `lagging` is told each lag. `clock`
    counts seconds.
    """

    def __init__(
        self,
        process: str,
        version: str,
        *,
        expected: Iterable[str] = (),
        stale_after_s: float = 30.0,
        lagging: Callable[[int], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.process = process
        self._version = version
        self._stale_after_s = stale_after_s
        self._lagging = lagging
        self._clock = clock
        self._started = self._beat = clock()
        self._lag = 0
        self._lock = Lock()
        self._checks: dict[str, tuple[bool, str]] = {
            name: (False, "not reported yet") for name in expected
        }

    def beat(self) -> None:
        """The processing loop went round. Call it also while restoring."""
        self._beat = self._clock()

    def lag(self, records: int) -> None:
        """How many records wait. Measure it apart from the processing loop, which may stall."""
        self._lag = records
        self._lagging(records)

    def ready(self, check: str, ok: bool, reason: str = "") -> None:
        """What became of a check: why not, if not."""
        with self._lock:
            self._checks[check] = (ok, reason)

    def alive(self) -> bool:
        """False if records wait and the processing loop has not gone round for too long.

        A loop without work may rest, so that a quiet market restarts nothing.
        """
        return self._lag <= 0 or self._clock() - self._beat <= self._stale_after_s

    def liveness(self) -> tuple[bool, dict[str, Any]]:
        """Alive or not, and what /health answers."""
        now = self._clock()
        alive = self.alive()
        return alive, {
            "process": self.process,
            "version": self._version,
            "alive": alive,
            "uptime_s": round(now - self._started, 3),
            "beat_age_s": round(now - self._beat, 3),
            "stale_after_s": self._stale_after_s,
            "lag_records": self._lag,
        }

    def readiness(self) -> tuple[bool, dict[str, Any]]:
        """Ready or not, and what /ready answers: every check with its reason."""
        with self._lock:
            checks = sorted(self._checks.items())
        ready = all(ok for _, (ok, _) in checks)
        return ready, {
            "process": self.process,
            "ready": ready,
            "checks": [
                {"check": name, "ok": ok, "reason": reason} for name, (ok, reason) in checks
            ],
        }
