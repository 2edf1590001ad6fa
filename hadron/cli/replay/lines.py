"""The lines to the workers of a replay: leave goes out, where they are comes back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, wait

from hadron.cli.replay.again import Range
from hadron.cli.replay.worker import LOOK_S, At, Leave


class Lines:
    """One line for each worker, whose shards are the ranges at the same place.

    `check` raises what a worker died of; else its line's end is that of the replay.
    """

    def __init__(
        self,
        lines: Sequence[Connection],
        ranges: Sequence[Mapping[int, Range]],
        *,
        check: Callable[[], None],
    ) -> None:
        self.next: dict[int, tuple[int, int | None]] = {
            partition: (bounds.first, None)
            for theirs in ranges
            for partition, bounds in theirs.items()
        }
        self._ranges = dict(zip(lines, ranges, strict=True))
        self._check = check
        self._leave = Leave(0, 0, {}, float("-inf"))
        self._at: dict[Connection, At] = {}
        self._sent: dict[Connection, int] = {}

    @property
    def over(self) -> bool:
        """Whether all shards have taken their last entry."""
        return all(self._done(line) for line in self._ranges)

    @property
    def idle(self) -> bool:
        """Whether all workers wait, by the newest leave."""
        return all(
            line in self._at and self._at[line].idle and self._at[line].leave == self._leave.number
            for line in self._ranges
        )

    def give(self, seek: int, until: Mapping[int, int], stamp_ms: float) -> None:
        """Let them go so far, each as soon as it has answered to the leave before."""
        if (seek, until, stamp_ms) != (self._leave.seek, self._leave.until, self._leave.stamp_ms):
            self._leave = Leave(self._leave.number + 1, seek, dict(until), stamp_ms)
        self._send()

    def look(self) -> None:
        """Wait a moment for what they have to say."""
        for line in wait([*self._ranges], LOOK_S):
            assert isinstance(line, Connection)
            try:
                at: At = line.recv()
            except (EOFError, ConnectionResetError):
                break  # `check` knows why
            self._at[line] = at
            self.next.update(at.next)
        self._check()
        self._send()

    def dismiss_done(self) -> None:
        """Tell the workers whose shards have taken their last entry that that was all."""
        for line in [line for line in self._ranges if self._done(line)]:
            del self._ranges[line]
            with suppress(OSError):
                line.send(None)

    def _done(self, line: Connection) -> bool:
        return all(self.next[p][0] >= bounds.end for p, bounds in self._ranges[line].items())

    def _send(self) -> None:
        # One at a time: a worker that is busy would let the pipe fill up, and both sides wait.
        for line in self._ranges:
            last = self._sent.get(line)
            answered = last is None or (line in self._at and self._at[line].leave >= last)
            if last != self._leave.number and answered:
                self._sent[line] = self._leave.number
                with suppress(OSError):  # `check` knows why
                    line.send(self._leave)
