"""A log of raw records, received one each second."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.memory import MemoryLog
from hadron.cli.replay.bounds import Place
from hadron.cli.replay.span import Places, Stamped

PARTITIONS = 2
BEGUN_MS = 1_700_000_000_000
MASSIVE_0, MASSIVE_1 = ("raw.massive", 0), ("raw.massive", 1)


def a_log(seconds_0: Sequence[float], seconds_1: Sequence[float] = ()) -> MemoryLog:
    """Records of the two partitions of raw.massive, by the seconds of their receipt."""
    log = MemoryLog()
    for place, seconds in ((MASSIVE_0, seconds_0), (MASSIVE_1, seconds_1)):
        for second in seconds:
            record = (f"key-{second}", f"value-{second}".encode())
            log.append(*place, [record], timestamp_ms=BEGUN_MS + int(second * 1000))
    return log


def stamped_on(log: MemoryLog) -> Stamped:
    """What connectors.kafka.inspection.stamped_after answers for a log."""

    def stamped(places: Sequence[Place], at_ms: int) -> Places:
        starts, ends = log.starts(places), log.ends(places)
        found = {
            place: next(
                (
                    record.offset
                    for record in log.read(*place, start=starts[place], end=end)
                    if record.timestamp_ms >= at_ms
                ),
                None,
            )
            for place, end in ends.items()
        }
        return {place: offset for place, offset in found.items() if offset is not None}

    return stamped
