"""normalize: raw events of all venues become ticks; control and positions say what is FAST."""

from __future__ import annotations

from functools import partial

import faust

from hadron.market.normalizer import Normalizer
from hadron.topics import Names
from hadron.venues.registry import PARSERS
from streams.fold import Stream
from streams.shard import Place
from streams.tools import Pace, Tools


def attach(app: faust.App, *, tools: Tools, pace: Pace, partitions: int, names: Names) -> Stream:
    """The stream raw.* → ticks.*."""
    place = Place("normalize", partitions, names)
    return Stream(app, place, partial(Normalizer, PARSERS), tools=tools, pace=pace)
