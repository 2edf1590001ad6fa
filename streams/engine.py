"""engine: strategies over ticks, shard by shard."""

from __future__ import annotations

from functools import partial

import faust

from hadron.strategy.engine import Engine
from hadron.strategy.registry import KINDS
from hadron.topics import Names
from streams.deployments import Deployments
from streams.fold import Stream
from streams.shard import Place
from streams.tools import Pace, Tools


def attach(app: faust.App, *, tools: Tools, pace: Pace, partitions: int, names: Names) -> Stream:
    """The stream ticks.* → decisions and marks.

    What it steps, and in which order, is on `journal.engine` before it is stepped; what its
    strategies are made of, on `strategies`.
    """
    place = Place("engine", partitions, names, pace.hash_entries)
    deployments = Deployments(tools.log, tools.codec, names=names, partitions=partitions)
    make = partial(Engine, KINDS, tools.codes)
    return Stream(app, place, make, tools=tools, pace=pace, configured=deployments.say_of)
