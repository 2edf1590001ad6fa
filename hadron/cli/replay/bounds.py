"""Where a replay begins and ends, as the command line says it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import msgspec

Place = tuple[str, int]

BEGINNING = "beginning"
END = "end"
_PLACE = re.compile(r"(?P<topic>[\w.]+)/(?P<partition>\d+)=(?P<offset>\d+)")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Edge(msgspec.Struct, frozen=True):
    """As far back, or as far forward, as the log goes."""


class Moment(msgspec.Struct, frozen=True):
    """The first event received at this time or later."""

    at_ms: int


class Offsets(msgspec.Struct, frozen=True):
    """The events at these offsets; of partitions that are not named, the edge."""

    by_place: Mapping[Place, int]


Bound = Edge | Moment | Offsets


def bound(text: str, *, edge: str) -> Bound:
    """Read a bound. Raise ValueError with the text seen and what is wanted; `edge` is its word."""
    if text == edge:
        return Edge()
    if "=" in text:
        return Offsets(_offsets(text))
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(_wanted(text, edge)) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    # Kafka's stamps are whole milliseconds, so up; and below 0 they mean something else to it.
    return Moment(max(0, -((_EPOCH - moment) // timedelta(milliseconds=1))))


def _offsets(text: str) -> dict[Place, int]:
    found: dict[Place, int] = {}
    for part in text.split(","):
        match = _PLACE.fullmatch(part.strip())
        if match is None:
            raise ValueError(f"{part.strip()!r}; wanted <topic>/<partition>=<offset>")
        place = match["topic"], int(match["partition"])
        if place in found:
            raise ValueError(f"{place[0]}/{place[1]} is given twice; wanted one offset each")
        found[place] = int(match["offset"])
    return found


def _wanted(text: str, edge: str) -> str:
    return (
        f"{text!r}; wanted {edge}, a time of receipt as 2013-10-07T14:30:00Z, or offsets as"
        " raw.massive/0=123,raw.massive/1=77"
    )
