"""Which raw records a replay reads, and of which it compares the decisions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec

from hadron.cli.replay.bounds import Bound, Edge, Moment, Offsets, Place
from hadron.errors import SettingsError
from hadron.ports import Reading
from hadron.topics import RAW

Places = Mapping[Place, int]
# The first record stamped at or after a time, of the partitions that have one.
Stamped = Callable[[Sequence[Place], int], Places]


class Span(msgspec.Struct, frozen=True):
    """Offsets of each partition of raw.*: those from `first` on are read, and those from `start`
    up to, not including, `end` are compared, the first of which was received at `since_ms`.
    """

    first: Places
    start: Places
    end: Places
    since_ms: int

    @property
    def read(self) -> int:
        """How many records are read."""
        return sum(self.end[place] - first for place, first in self.first.items())

    @property
    def compared(self) -> int:
        """How many records' decisions are compared."""
        return sum(self.end[place] - start for place, start in self.start.items())

    def covers(self, topic: str, partition: int, offset: int) -> bool:
        """Whether decisions that follow from this raw record are compared."""
        place = topic, partition
        return place in self.start and self.start[place] <= offset < self.end[place]


def raw_places(partitions: int) -> list[Place]:
    """Every partition of raw.*."""
    return [(topic.name, partition) for topic in RAW.values() for partition in range(partitions)]


class Asked(msgspec.Struct, frozen=True):
    """What the command line says about the span."""

    start: Bound
    end: Bound
    warm_up_ms: int


def resolve(asked: Asked, *, log: Reading, stamped: Stamped, partitions: int) -> Span:
    """Find the offsets on the log as it is now.

    Raise SettingsError naming the option for offsets that the log does not have, and for a span
    without any record.
    """
    places = raw_places(partitions)
    kept = log.starts(places), log.ends(places)
    start = resolved("--from", asked.start, edge=kept[0], kept=kept, stamped=stamped)
    end = resolved("--to", asked.end, edge=kept[1], kept=kept, stamped=stamped)
    check_order(start, end, asked.end)
    end = {place: max(offset, start[place]) for place, offset in end.items()}
    filled = [place for place in places if start[place] < end[place]]
    if not filled:
        raise SettingsError(["--from, --to: no raw record lies between them; wanted at least one"])
    since_ms = min(stamp_of(log, *place, start[place]) for place in filled)
    first = dict(start)
    if asked.warm_up_ms:
        found = stamped(filled, max(0, since_ms - asked.warm_up_ms))
        first.update({place: min(start[place], found.get(place, start[place])) for place in filled})
    return Span(first, start, end, since_ms)


def resolved(
    option: str, bound: Bound, *, edge: Places, kept: tuple[Places, Places], stamped: Stamped
) -> Places:
    """The offsets of one bound, of all partitions of `edge`; `kept` is where each begins and ends.

    Raise SettingsError naming the option for offsets that the log does not have.
    """
    match bound:
        case Edge():
            return edge
        case Moment(at_ms):
            found = stamped(list(edge), at_ms)
            # Records may have come in since the ends were asked for.
            return {place: min(found.get(place, end), end) for place, end in kept[1].items()}
        case Offsets(by_place):
            _check_offsets(option, by_place, kept)
            return {**edge, **by_place}


def _check_offsets(option: str, by_place: Places, kept: tuple[Places, Places]) -> None:
    starts, ends = kept
    problems = []
    for (topic, partition), offset in by_place.items():
        place, seen = (topic, partition), f"{option}: {topic}/{partition}={offset}"
        if place not in starts:
            wanted = ", ".join(sorted({name for name, _ in starts}))
            count = len({number for _, number in starts})
            problems.append(f"{seen}; wanted one of {wanted}, partition 0 to {count - 1}")
        elif not starts[place] <= offset <= ends[place]:
            problems.append(f"{seen}; wanted {starts[place]} to {ends[place]}, as the log has")
    if problems:
        raise SettingsError(problems)


def check_order(start: Places, end: Places, asked: Bound) -> None:
    """Partitions may be empty in a span of times; offsets that cross are a mistake.

    Raise SettingsError naming them; `asked` is the end that was asked for.
    """
    if isinstance(asked, Offsets):
        problems = [
            f"--to: {topic}/{partition}={end[topic, partition]}; wanted {offset} or more, where"
            " --from lies"
            for (topic, partition), offset in start.items()
            if end[topic, partition] < offset
        ]
        if problems:
            raise SettingsError(problems)


def stamp_of(log: Reading, topic: str, partition: int, offset: int) -> int:
    """When the record at an offset, or the next after a gap, was received."""
    end = log.ends([(topic, partition)])[topic, partition]
    return next(iter(log.read(topic, partition, start=offset, end=end))).timestamp_ms
