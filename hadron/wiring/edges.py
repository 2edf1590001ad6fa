"""Builds and runs the processes at the edges: feeds, gateway, archive, latest."""

from __future__ import annotations

import asyncio
from threading import Event

from hadron.ports import Reading
from hadron.topics import INSTRUMENTS
from hadron.wiring.context import Context

_CLOCK_S = 10.0


def archive(context: Context) -> None:
    """Topics → TimescaleDB."""
    from connectors.timescale.archiving.process import run

    run(
        context.settings,
        codec=context.codec,
        telemetry=context.telemetry,
        pulse=context.pulse,
        alarms=context.alarms,
        stop=context.stop,
    )


def latest(context: Context) -> None:
    """Hot state → Redis."""
    from connectors.redis.latest import run

    run(
        context.settings,
        codec=context.codec,
        telemetry=context.telemetry,
        alarms=context.alarms,
        stop=context.stop,
    )


def gateway(context: Context) -> None:
    """Approved intents → orders, simulated."""
    from connectors.gateways.gateway import run

    run(
        context.settings,
        codec=context.codec,
        telemetry=context.telemetry,
        tracer=context.tracer,
        pulse=context.pulse,
        alarms=context.alarms,
        stop=context.stop,
    )


def feed(context: Context) -> None:
    """One venue → raw.<venue>."""
    import uvloop

    uvloop.run(_run_feed(context))


async def _run_feed(context: Context) -> None:
    from connectors.feeds.feed import run
    from connectors.feeds.outside import Outside, Pace, Source
    from connectors.kafka.looping import KafkaLoopLog
    from hadron.reference.instruments import InstrumentIds
    from hadron.venues import registry

    settings, venue = context.settings, context.options.get("venue", "massive")
    log = KafkaLoopLog(settings)
    source = Source(
        venue=venue,
        url=registry.url_of(venue, settings),
        protocol=registry.protocol_of(venue, settings),
        ids=InstrumentIds(_listed(log, context)),
        partitions=settings.num_shards,
    )
    outside = Outside(
        log=log,
        codec=context.codec,
        telemetry=context.telemetry,
        tracer=context.tracer,
        pulse=context.pulse,
        alarms=context.alarms,
    )
    stopping = asyncio.Event()
    watching = asyncio.create_task(_set_when_stopped(context.stop, stopping))
    clock = asyncio.create_task(_watch_clock(context))
    try:
        await run(source, outside, stopping, Pace(missed_s=settings.alert_feed_s))
    finally:
        watching.cancel()
        clock.cancel()
        await log.close()


def _listed(log: Reading, context: Context) -> dict[tuple[str, str], str]:
    """The instruments that somebody listed, by venue and symbol."""
    name = context.names.read(INSTRUMENTS.name)
    places = [(name, partition) for partition in range(context.settings.num_shards)]
    starts, ends = log.starts(places), log.ends(places)
    listed: dict[tuple[str, str], str] = {}
    for place in places:
        if starts[place] == ends[place]:
            continue
        for record in log.read(*place, start=starts[place], end=ends[place]):
            if record.value is not None:
                fact = context.codec.decode(record.value)
                listed[fact.venue, fact.symbol] = fact.instrument
    return listed


async def _set_when_stopped(stop: Event, stopping: asyncio.Event) -> None:
    while not stop.is_set():
        await asyncio.sleep(0.1)
    stopping.set()


async def _watch_clock(context: Context) -> None:
    """Receipts are stamped here: tell how far the clock may be off."""
    from connectors import clock

    limit_s = context.settings.alert_clock_s
    while limit_s is not None:
        telemetry, alarms = context.telemetry, context.alarms
        clock.tell(clock.error_s(), telemetry=telemetry, alarms=alarms, limit_s=limit_s)
        await asyncio.sleep(_CLOCK_S)
