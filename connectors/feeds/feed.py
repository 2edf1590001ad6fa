"""The feed process: one venue's events onto the log, until it is told to stop."""

from __future__ import annotations

import asyncio

from connectors.feeds.outside import Outside, Pace, Source
from connectors.feeds.socket import Driver
from hadron.ports import LoopLog

DRAIN_S = 30.0
POLL_S = 0.01


async def run(
    source: Source, outside: Outside, stopping: asyncio.Event, pace: Pace | None = None
) -> None:
    """Record the venue until `stopping` is set; return when all that was received is stored.

    Connections that fail are made again for ever. Raise TransientError if the log refuses records.
    """
    driving = asyncio.create_task(Driver(source, outside, pace or Pace()).run(stopping))
    works = [driving, asyncio.create_task(_serve(outside.log))]
    done, _ = await asyncio.wait(works, return_when=asyncio.FIRST_COMPLETED)
    for work in works:
        work.cancel()
    await asyncio.gather(*works, return_exceptions=True)
    for work in done:
        work.result()
    await outside.log.drain(DRAIN_S)


async def _serve(log: LoopLog) -> None:
    """Learn that the log refuses records, also while no venue is connected."""
    while True:
        log.poll()
        await asyncio.sleep(POLL_S)
