"""Builds and runs the processes that are folds in Faust."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import suppress
from threading import Event
from typing import TYPE_CHECKING, Any, NoReturn

import structlog

from hadron.errors import HadronError, StoodStill
from hadron.wiring.context import Context

if TYPE_CHECKING:
    from connectors.kafka.looping import KafkaLoopLog

events = structlog.get_logger()

LAST_WORDS_S = 5.0


def stream(context: Context) -> None:
    """Step a fold until the process is told to stop; leave as a crash does if that fails."""
    import uvloop

    from hadron.wiring.garbage import look_seldom

    look_seldom()
    uvloop.run(_run_stream(context))


async def _run_stream(context: Context) -> None:
    from importlib import import_module

    from connectors.kafka.looping import KafkaLoopLog
    from connectors.kafka.membership import client_id
    from hadron.wiring import strategies
    from streams.app import make_app
    from streams.tools import Pace, Tools

    settings, names = context.settings, context.names
    log = KafkaLoopLog(settings)
    app = make_app(names.group(context.process), settings, client_id=client_id())
    running = import_module(f"streams.{context.process}").attach(
        app,
        tools=Tools(
            log=log,
            codec=context.codec,
            telemetry=context.telemetry,
            tracer=context.tracer,
            pulse=context.pulse,
            codes=strategies.installed() if context.process == "engine" else {},
        ),
        pace=Pace(
            checkpoint_s=settings.checkpoint_s,
            queue_records=2 * settings.fetch_records,
            hash_entries=settings.hash_entries,
            session_s=settings.session_s,
        ),
        partitions=settings.num_shards,
        names=names,
    )
    work = asyncio.create_task(running.run())
    try:
        await app.start()
        await _until_stopped(context.stop, app, work)
    except Exception as error:
        events.error("process failed", error=str(error), kind=type(error).__name__, exc_info=True)
        context.alarms.stopped(error)
        context.alarms.close()
        await _leave(log, error)
    await app.stop()
    work.cancel()
    await log.drain()
    await log.close()


async def _leave(log: KafkaLoopLog, error: Exception) -> NoReturn:
    """Leave as a crash does: Faust would wait for acknowledgements that must not come."""
    if not isinstance(error, StoodStill):
        with suppress(HadronError):
            await log.drain(LAST_WORDS_S)
    sys.stderr.flush()
    os._exit(1)


async def _until_stopped(stop: Event, app: Any, work: asyncio.Task[None]) -> None:
    while not stop.is_set():
        await asyncio.wait([work], timeout=0.1)
        if work.done():
            _raise_first(work)
        if app.crashed:
            raise HadronError(f"Faust crashed: {app.crash_reason!r}") from app.crash_reason


def _raise_first(work: asyncio.Task[None]) -> None:
    try:
        work.result()
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from group
