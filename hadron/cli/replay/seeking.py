"""Where a place that is sought lies among the records that a replay takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hadron.cli.replay.bounds import Bound, Edge, Moment, Offsets, Place
from hadron.cli.replay.controls import moment
from hadron.cli.replay.span import Places, Stamped, stamp_of
from hadron.errors import RequestRefused
from hadron.ports import Reading

# The first and the end of what is replayed of each partition.
Within = Mapping[Place, tuple[int, int]]
# `find`, which knows the log.
Find = Callable[[Bound, Within], Places]


def find(to: Bound, within: Within, *, log: Reading, stamped: Stamped) -> Places:
    """The first record of each partition that lies there or after it, or its end.

    Partitions that offsets do not name go to the time of the earliest that they do. Raise
    RequestRefused for what nothing that is replayed lies at or after.
    """
    match to:
        case Edge():
            return {place: begin for place, (begin, _) in within.items()}
        case Moment(at_ms):
            return _since(at_ms, within, stamped)
        case Offsets(by_place):
            for place, offset in by_place.items():
                _check(place, offset, within)
            at_ms = min(stamp_of(log, *place, offset) for place, offset in by_place.items())
            return {**_since(at_ms, within, stamped), **by_place}


def _since(at_ms: int, within: Within, stamped: Stamped) -> Places:
    found = stamped([*within], at_ms)
    since = {
        place: min(max(found.get(place, end), begin), end) for place, (begin, end) in within.items()
    }
    if all(since[place] == end for place, (_, end) in within.items()):
        raise RequestRefused("to", moment(at_ms), "a time up to that of the last that is replayed")
    return since


def _check(place: Place, offset: int, within: Within) -> None:
    seen = f"{place[0]}/{place[1]}={offset}"
    if place not in within:
        told = ", ".join(f"{topic}/{partition}" for topic, partition in sorted(within))
        raise RequestRefused("to", seen, f"one of {told}")
    begin, end = within[place]
    if not begin <= offset < end:
        raise RequestRefused("to", seen, f"{begin} to {end - 1}, which are replayed")
