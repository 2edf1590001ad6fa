"""normalize: raw events of all venues become ticks."""

from __future__ import annotations

from functools import partial

import faust
from hadron.venues.registry import PARSERS

from hadron import topics
from hadron.market.normalizer import Normalizer
from hadron.topics import Names
from streams.fold import Stream
from streams.shard import Place
from streams.tools import Pace, Tools

PROCESS = "normalize"


def attach(app: faust.App, *, tools: Tools, pace: Pace, partitions: int, names: Names) -> Stream:
    """The stream raw.* → ticks.*, told by control and positions what is FAST."""
    place = Place(
        process=PROCESS,
        sources=(*(t.name for t in topics.RAW.values()), "control", "positions"),
        outputs=(*(t.name for t in topics.TICKS.values()), "dead"),
        bootstrap=("control", "positions"),
        partitions=partitions,
        names=names,
    )
    return Stream(app, place, partial(Normalizer, PARSERS), tools=tools, pace=pace)
