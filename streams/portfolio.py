"""portfolio: fills become positions and profit."""

from __future__ import annotations

import faust
import msgspec

from hadron.portfolio.portfolio import Portfolio
from hadron.topics import Names
from streams.fold import Stream
from streams.shard import Place
from streams.tools import Pace, Tools

# Nobody trades on positions: fewer fetches leave the time to those who are waited for.
FETCH_S = 0.025


def attach(app: faust.App, *, tools: Tools, pace: Pace, partitions: int, names: Names) -> Stream:
    """The stream orders and marks → positions."""
    pace = msgspec.structs.replace(pace, fetch_s=FETCH_S)
    return Stream(app, Place("portfolio", partitions, names), Portfolio, tools=tools, pace=pace)
