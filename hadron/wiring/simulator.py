"""Builds and runs the venue simulator: a tape or a seeded market, as Massive would send it."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterator
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from hadron import metrics
from hadron.errors import SettingsError
from hadron.wiring.context import Context

if TYPE_CHECKING:
    from connectors.simulator.server import Simulator
    from hadron.simulation.played import Played

events = structlog.get_logger()

AS_FAST_AS_IT_CAN = "max"


def simulator(context: Context) -> None:
    """Play until the process is told to stop."""
    import uvloop

    uvloop.run(_run(context))


async def _run(context: Context) -> None:
    from connectors.simulator.faults import faults
    from connectors.simulator.server import Script, Simulator, serve

    settings, options = context.settings, context.options
    script = Script(
        speed=speed_of(options.get("speed", "1x")), faults=faults(options.get("faults", ""))
    )
    playing, stopping = Simulator(_market(context), script), asyncio.Event()
    watching = asyncio.create_task(_report(context, playing, stopping))
    await serve(
        playing,
        stopping,
        lambda url: events.info("simulator listens", url=url),
        host=settings.simulator_host,
        port=settings.simulator_port,
    )
    watching.cancel()


def _market(context: Context) -> Iterator[Played]:
    from connectors.tapes import tape
    from hadron.simulation.market import market

    symbols = [one.strip() for one in context.settings.symbols.split(",") if one.strip()]
    folder = context.options.get("tape")
    if folder is not None:
        days = [day for day in context.options.get("day", "").split(",") if day]
        return tape(Path(folder), symbols=symbols, days=days)
    if not symbols:
        raise SettingsError(["HADRON_SYMBOLS: is empty; symbols by comma are wanted"])
    seed = context.options.get("seed", "7")
    draw = random.Random(seed).random
    return market(symbols, draw, start_ms=time.time_ns() // 1_000_000)


def speed_of(asked: str) -> float:
    """Market seconds a second of 1x, 10x and the like; 0 for max. Raise SettingsError else."""
    if asked == AS_FAST_AS_IT_CAN:
        return 0.0
    try:
        speed = float(asked.removesuffix("x"))
    except ValueError:
        speed = 0.0
    if not asked.endswith("x") or not 0 < speed < inf:
        raise SettingsError([f"--speed: {asked!r}; wanted 1x, 10x, 100x or the like, or max"])
    return speed


async def _report(context: Context, playing: Simulator, stopping: asyncio.Event) -> None:
    """Export how much was played, and pass a wish to stop on."""
    counted = 0
    while not context.stop.is_set():
        await asyncio.sleep(0.1)
        finished, sent = playing.finished.is_set(), sum(playing.sent.values())
        context.telemetry.count(metrics.SIMULATOR_EVENTS, sent - counted)
        context.telemetry.gauge(metrics.SIMULATOR_FINISHED, float(finished))
        counted = sent
    stopping.set()
