"""engine: strategies over ticks, shard by shard."""

from __future__ import annotations

import faust

from hadron.strategy.engine import Engine
from hadron.topics import Names
from streams.fold import Stream
from streams.shard import Place
from streams.tools import Pace, Tools


def attach(app: faust.App, *, tools: Tools, pace: Pace, partitions: int, names: Names) -> Stream:
    """The stream ticks.* → decisions and marks.

    A journal of what is stepped, in which order, belongs before `Stream._step` (architecture, "The
    engine: sequence, then process"): that is the one place where a slice meets the fold.
    """
    return Stream(app, Place("engine", partitions, names), Engine, tools=tools, pace=pace)
