"""engine: strategies over ticks, shard by shard."""

from __future__ import annotations

import faust
from hadron.strategy.engine import Engine

from hadron import topics
from hadron.topics import Names
from streams.fold import Stream
from streams.shard import Place
from streams.tools import Pace, Tools

PROCESS = "engine"


def attach(app: faust.App, *, tools: Tools, pace: Pace, partitions: int, names: Names) -> Stream:
    """The stream ticks.* → decisions and marks.

    A journal of what is stepped, in which order, belongs before `Stream._step` (architecture, "The
    engine: sequence, then process"): that is the one place where a slice meets the fold.
    """
    place = Place(
        process=PROCESS,
        sources=(*(t.name for t in topics.TICKS.values()), "control", "positions"),
        outputs=("decisions", "marks", "dead"),
        bootstrap=("control", "positions"),
        partitions=partitions,
        names=names,
    )
    return Stream(app, place, Engine, tools=tools, pace=pace)
