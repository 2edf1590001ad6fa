"""Waits until every process has taken all that its topics have."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from connectors.kafka import groups
from hadron.flow import FLOW
from hadron.ports import FactLog
from hadron.topics import Names

GIVE_UP_S = 60.0  # without any progress
LOOK_S = 0.25
FAR = 10_000  # records left: they take a while, and so does each look
FAR_LOOK_S = 1.0


def waiting(
    admin: Any,
    log: FactLog,
    *,
    partitions: int,
    names: Names,
    archived: Mapping[tuple[str, int], int],
) -> int:
    """Records that some process has not taken. `archived` are the archive's next offsets."""
    left = 0
    for process, step in FLOW.items():
        places = [(names.read(t), p) for t in step.sources for p in range(partitions)]
        ends, starts = log.ends(places), log.starts(places)
        group = names.group(process)
        done = archived if process == "archive" else groups.committed(admin, group)
        left += sum(max(0, end - done.get(at, starts[at])) for at, end in ends.items())
    return left


def drained(look: Callable[[], int], *, hurried: Callable[[], bool]) -> bool:
    """Return True once nothing waits; False if that gets nowhere, or somebody is in a hurry."""
    least, since = look(), time.monotonic()
    while least > 0:
        if hurried() or time.monotonic() - since > GIVE_UP_S:
            return False
        time.sleep(LOOK_S if least < FAR else FAR_LOOK_S)
        left = look()
        if left < least:
            least, since = left, time.monotonic()
    return True
