"""The feed process: one venue's events onto the log, until it is told to stop."""

from __future__ import annotations

import asyncio

from connectors.feeds.outside import Outside, Pace, Source
from connectors.feeds.socket import Driver

FLUSH_S = 30.0


async def run(
    source: Source, outside: Outside, stopping: asyncio.Event, pace: Pace | None = None
) -> None:
    """Record the venue until `stopping` is set; return when all that was received is stored.

    Connections that fail are made again for ever. Raise TransientError if the log refuses records.
    """
    await Driver(source, outside, pace or Pace()).run(stopping)
    await asyncio.to_thread(outside.log.flush, FLUSH_S)
