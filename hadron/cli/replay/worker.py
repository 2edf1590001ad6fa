"""Steps some shards as far as it has leave to, in a process or a thread of its own."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from math import inf
from multiprocessing.connection import Connection

import msgspec

from hadron.cli.replay.again import Again, Range, Run
from hadron.cli.replay.equality import Compared, compared
from hadron.ports import Codec, Reading

# Asking a pipe costs as much as some ticks.
LOOK_S = 0.02


class Leave(msgspec.Struct, frozen=True):
    """What may be taken: entries before `until`, by partition, and those stamped up to `stamp_ms`.

    With a new `seek`, shards that are behind `until` already begin anew.
    """

    number: int
    seek: int
    until: Mapping[int, int]
    stamp_ms: float


class At(msgspec.Struct, frozen=True):
    """Where shards are by a leave: of each the next entry and, where it is known, its stamp.

    `idle`: nothing more may be taken by it, and all stamps are known.
    """

    leave: int
    idle: bool
    next: Mapping[int, tuple[int, int | None]]


def work(
    run: Run, ranges: Mapping[int, Range], line: Connection, *, log: Reading, codec: Codec
) -> list[Compared]:
    """Obey what comes over the line until that is None, and compare then.

    Returns nothing if the other side has gone.
    """
    shards = [
        Again(run, partition, bounds, log=log, codec=codec) for partition, bounds in ranges.items()
    ]
    try:
        _Worker(shards, line).obey()
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return []
    return compared(run, [shard.stepped for shard in shards], log=log, codec=codec)


class _Worker:
    def __init__(self, shards: Sequence[Again], line: Connection) -> None:
        self._shards = shards
        self._line = line
        self._seek = 0
        self._looked_s = 0.0

    def obey(self) -> None:
        leave: Leave | None = self._line.recv()
        while leave is not None:
            self._sought(leave)
            if shard := self._allowed(leave):
                shard.take()
                leave = self._newest(leave)
            else:
                self._tell(leave, idle=True)
                leave = self._line.recv()

    def _sought(self, leave: Leave) -> None:
        if leave.seek == self._seek:
            return
        self._seek = leave.seek
        for shard in self._shards:
            if leave.until.get(shard.partition, shard.at) < shard.at:
                shard.begin_anew()

    def _allowed(self, leave: Leave) -> Again | None:
        if leave.stamp_ms == inf:
            # One after the other: a shard on its way holds connections.
            return next((shard for shard in self._shards if shard.next), None)
        return min(
            (
                shard
                for shard in self._shards
                if (head := shard.next)
                and (
                    head.record.offset < leave.until.get(shard.partition, 0)
                    or head.record.timestamp_ms <= leave.stamp_ms
                )
            ),
            key=lambda shard: shard.stamp_ms or 0,
            default=None,
        )

    def _newest(self, leave: Leave) -> Leave | None:
        """The leave that holds now; where we are is told on the way."""
        now_s = time.monotonic()
        if now_s - self._looked_s < LOOK_S:
            return leave
        self._looked_s = now_s
        self._tell(leave, idle=False)
        newest: Leave | None = leave
        while newest is not None and self._line.poll():
            newest = self._line.recv()
        return newest

    def _tell(self, leave: Leave, *, idle: bool) -> None:
        where = {shard.partition: (shard.at, shard.stamp_ms) for shard in self._shards}
        self._line.send(At(leave.number, idle, where))
