"""The session of a group's member: after so long a silence its partitions are another's."""

from __future__ import annotations

from hadron.errors import StoodStill


class Session:
    """Knows when a process last did something. Times are of a monotonic clock, in seconds."""

    def __init__(self, process: str, length_s: float, *, now_s: float) -> None:
        self._process = process
        self._length_s = length_s
        self.alive_s = now_s

    def check(self, now_s: float) -> None:
        """Count as alive now. Raise StoodStill after a silence that was longer than allowed."""
        silent_s = now_s - self.alive_s
        if silent_s > self._length_s:
            raise StoodStill(
                f"{self._process} stood still for {silent_s:.1f} s, longer than its session of"
                f" {self._length_s:.0f} s: its partitions may be another's now"
            )
        self.alive_s = now_s
