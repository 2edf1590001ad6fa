"""The one door where core, streams and connectors meet: builds each process and runs it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Mapping
from threading import Event
from typing import Any

import msgspec
import structlog

from hadron.envelope import AvroCodec, Version
from hadron.errors import HadronError, SettingsError
from hadron.ports import Codec, FactLog, Pulse, Telemetry, Tracer
from hadron.settings import Settings, variable
from hadron.topics import INSTRUMENTS, LIVE, Names, replay_names

events = structlog.get_logger()


class Context(msgspec.Struct, frozen=True):
    """What every process is built from."""

    process: str
    settings: Settings
    options: Mapping[str, str]  # of the command line: venue, tape, seed, ...
    codec: Codec
    telemetry: Telemetry
    tracer: Tracer
    pulse: Pulse
    stop: Event

    @property
    def names(self) -> Names:
        return names_of(self.settings)


def names_of(settings: Settings) -> Names:
    """What topics are called: live, or in the replay that HADRON_PREFIX names."""
    if not settings.prefix:
        return LIVE
    kind, _, rest = settings.prefix.partition(".")
    if kind != "replay" or not rest.endswith(".") or len(rest) < 2:
        wanted = "nothing, or replay.<run>."
        raise SettingsError([f"{variable('prefix')}: {settings.prefix!r}; wanted {wanted}"])
    return replay_names(rest[:-1])


def codec_of(settings: Settings) -> AvroCodec:
    """The codec with the registry's ids where one is set, else with the catalogue's."""
    import schemas

    if settings.registry:
        from connectors.registry import registered

        return registered(settings.registry)
    return AvroCodec([Version(c.id, c.name, c.schema) for c in schemas.catalogue()])


def run_process(process: str, settings: Settings, options: Mapping[str, str]) -> None:
    """Run one process until SIGTERM or SIGINT. Raise HadronError for what stops it before."""
    from connectors.http.health import Health
    from connectors.http.server import HttpServer
    from connectors.telemetry import logs, metrics, tracing

    if process not in PROCESSES:
        raise SettingsError([f"process: {process!r}; wanted one of {', '.join(PROCESSES)}"])
    logs.configure(settings.log_level, process, secrets=logs.secrets_of(settings))
    telemetry = metrics.PrometheusTelemetry()
    health = Health(process, version())
    with (
        HttpServer(
            health, telemetry.exposition, host=settings.http_host, port=settings.http_port
        ) as port,
        tracing.tracer(process, settings.otlp_endpoint, version=version()) as tracer,
    ):
        events.info("process started", port=port, pid=os.getpid(), version=version())
        stop = _stop_on_signals()
        context = Context(
            process=process,
            settings=settings,
            options=options,
            codec=codec_of(settings),
            telemetry=telemetry,
            tracer=tracer,
            pulse=health,
            stop=stop,
        )
        PROCESSES[process](context)
        events.info("process stopped")


def version() -> str:
    """The version of the installed distribution."""
    from importlib.metadata import version as installed

    return installed("hadron-platform")


def _stop_on_signals() -> Event:
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


def _stream(context: Context) -> None:
    import gc

    import uvloop

    gc.collect()
    gc.freeze()  # what was imported lives as long as we do
    sys.setswitchinterval(0.0005)  # the fetching thread must not wait long for the stepping one
    try:
        uvloop.run(_run_stream(context))
    except Exception as error:
        # Faust would wait for acknowledgements that must not come: leave as a crash does.
        events.error("process failed", error=str(error), kind=type(error).__name__, exc_info=True)
        sys.stderr.flush()
        os._exit(1)


async def _run_stream(context: Context) -> None:
    from importlib import import_module

    from connectors.kafka.connection import configuration
    from connectors.kafka.log import KafkaLog
    from streams.app import make_app
    from streams.tools import Pace, Tools

    settings, names = context.settings, context.names
    log = KafkaLog(configuration(settings), linger_ms=settings.linger_ms)
    app = make_app(names.group(context.process), settings)
    stream = import_module(f"streams.{context.process}").attach(
        app,
        tools=Tools(
            log=log,
            codec=context.codec,
            telemetry=context.telemetry,
            tracer=context.tracer,
            pulse=context.pulse,
        ),
        pace=Pace(checkpoint_s=settings.checkpoint_s, queue_records=2 * settings.fetch_records),
        partitions=settings.num_shards,
        names=names,
    )
    work = asyncio.create_task(stream.run())
    await app.start()
    await _until_stopped(context.stop, app, work)
    await app.stop()
    work.cancel()
    log.flush()


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


def _archive(context: Context) -> None:
    from connectors.timescale.process import run

    run(context.settings, codec=context.codec, telemetry=context.telemetry, stop=context.stop)


def _latest(context: Context) -> None:
    from connectors.redis.latest import run

    run(context.settings, codec=context.codec, telemetry=context.telemetry, stop=context.stop)


def _gateway(context: Context) -> None:
    from connectors.gateways.gateway import run

    run(
        context.settings,
        codec=context.codec,
        telemetry=context.telemetry,
        tracer=context.tracer,
        pulse=context.pulse,
        stop=context.stop,
    )


def _feed(context: Context) -> None:
    import uvloop

    uvloop.run(_run_feed(context))


async def _run_feed(context: Context) -> None:
    from connectors.feeds import feed
    from connectors.feeds.outside import Outside, Source
    from connectors.kafka.connection import configuration
    from connectors.kafka.log import KafkaLog
    from hadron.reference.instruments import InstrumentIds
    from hadron.venues import registry

    settings, venue = context.settings, context.options.get("venue", "massive")
    log = KafkaLog(configuration(settings), linger_ms=settings.linger_ms)
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
    )
    stopping = asyncio.Event()
    watching = asyncio.create_task(_set_when_stopped(context.stop, stopping))
    await feed.run(source, outside, stopping)
    watching.cancel()


def _listed(log: FactLog, context: Context) -> dict[tuple[str, str], str]:
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


PROCESSES: Mapping[str, Callable[[Context], None]] = {
    "normalize": _stream,
    "engine": _stream,
    "desk": _stream,
    "portfolio": _stream,
    "archive": _archive,
    "latest": _latest,
    "gateway": _gateway,
    "feed": _feed,
}
