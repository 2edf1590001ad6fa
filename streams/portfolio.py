"""portfolio: fills become positions and profit."""

from __future__ import annotations

import faust

from hadron.portfolio.portfolio import Portfolio
from hadron.topics import Names
from streams.fold import Stream
from streams.shard import Place
from streams.tools import Pace, Tools


def attach(app: faust.App, *, tools: Tools, pace: Pace, partitions: int, names: Names) -> Stream:
    """The stream orders and marks → positions."""
    return Stream(app, Place("portfolio", partitions, names), Portfolio, tools=tools, pace=pace)
