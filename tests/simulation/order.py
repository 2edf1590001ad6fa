"""What must be on the log before what, checked as it lands."""

from __future__ import annotations

from collections.abc import Callable

from hadron.audit.names import name_of
from hadron.flow import FLOW, FOLDS
from hadron.topics import JOURNAL
from tests.simulation.cluster import Pairs, Place
from tests.support import codec

# What only one fold writes, by topic; `dead` is written by all.
WRITERS = {
    topic: process for process in JOURNAL for topic in FLOW[process].outputs if topic != "dead"
}


class Order:
    """State before commits, the journal before what follows from it."""

    def __init__(self, broken: Callable[[str], None]) -> None:
        self._broken = broken
        self._stored: dict[tuple[str, int], dict[Place, int]] = {}
        self._said: dict[tuple[str, Place], int] = {}

    def landed(self, place: Place, records: Pairs) -> None:
        """Take what was stored in a partition."""
        kind, _, process = place[0].partition(".")
        for _, value in records:
            if kind == "state":
                taken = codec().decode(value or b"")
                self._stored[process, place[1]] = {
                    (at.topic, at.partition): at.offset for at in taken.positions
                }
            elif kind == "journal":
                for one in codec().decode(value or b"").slices:
                    # Who follows it may be delivered again, and say, what was said before.
                    said = (process, (one.topic, place[1]))
                    self._said[said] = max(one.end, self._said.get(said, 0))
            elif place[0] in WRITERS:
                self._follows(WRITERS[place[0]], place[0], value or b"")

    def committed(self, process: str, place: Place, offset: int) -> None:
        """Take what a group commits."""
        stored = self._stored.get((process, place[1]), {}).get(place, 0)
        if process in FOLDS and offset > stored:
            what = f"{place[0]}/{place[1]} {offset}"
            self._broken(f"{process} committed {what}, but its state stands at {stored}")

    def _follows(self, process: str, topic: str, value: bytes) -> None:
        name = name_of(codec().decode(value))
        if name.offset >= self._said.get((process, (name.source, name.partition)), 0):
            self._broken(f"{topic} holds what follows from {name}, which {process} did not journal")
