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

    What it steps, and in which order, is on `journal.engine` before it is stepped.
    """
    return Stream(app, Place("engine", partitions, names), Engine, tools=tools, pace=pace)
