"""Builds each process and runs it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping
from contextlib import closing
from threading import Event

import structlog

from hadron.errors import SettingsError
from hadron.flow import FOLDS
from hadron.settings import Settings
from hadron.wiring import edges, simulator, stream
from hadron.wiring.context import Context, codec_of
from hadron.wiring.watching import alarms_of, health_of

events = structlog.get_logger()


def run_process(process: str, settings: Settings, options: Mapping[str, str]) -> None:
    """Run one process until SIGTERM or SIGINT. Raise HadronError for what stops it before."""
    from connectors.http.server import http_server
    from connectors.telemetry import logs, metrics, tracing

    if process not in PROCESSES:
        raise SettingsError([f"process: {process!r}; wanted one of {', '.join(PROCESSES)}"])
    os.nice(_nice_of(process, settings))  # before there are threads: they keep what they begin with
    logs.configure(settings.log_level, process, secrets=logs.secrets_of(settings))
    telemetry = metrics.PrometheusTelemetry()
    codec = codec_of(settings)
    alarms = alarms_of(process, settings, codec=codec, telemetry=telemetry)
    expected = EXPECTED.get(process, ())
    health = health_of(process, settings, version=version(), alarms=alarms, expected=expected)
    with (
        closing(alarms),
        http_server(
            health, telemetry.exposition, host=settings.http_host, port=settings.http_port
        ) as port,
        tracing.tracer(
            process, settings.otlp_endpoint, version=version(), ratio=settings.trace_ratio
        ) as tracer,
    ):
        events.info("process started", port=port, pid=os.getpid(), version=version())
        stop = _stop_on_signals()
        context = Context(
            process=process,
            settings=settings,
            options=options,
            codec=codec,
            telemetry=telemetry,
            tracer=tracer,
            pulse=health,
            alarms=alarms,
            stop=stop,
        )
        with alarms.told_if_it_stops():
            PROCESSES[process](context)
        events.info("process stopped")


def _nice_of(process: str, settings: Settings) -> int:
    if settings.nice is not None:
        return settings.nice
    return YIELDS if process in ASIDE else 0


def version() -> str:
    """The version of the installed distribution."""
    from importlib.metadata import version as installed

    return installed("hadron-platform")


def _stop_on_signals() -> Event:
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


PROCESSES: Mapping[str, Callable[[Context], None]] = {
    "normalize": stream.stream,
    "engine": stream.stream,
    "desk": stream.stream,
    "portfolio": stream.stream,
    "archive": edges.archive,
    "latest": edges.latest,
    "gateway": edges.gateway,
    "feed": edges.feed,
    "simulator": simulator.simulator,
}
# Where cores are few, those on the way from a frame to an order go first.
ASIDE = frozenset({"archive", "latest", "simulator"})
YIELDS = 10
# Checks without which a process is not ready.
EXPECTED: Mapping[str, tuple[str, ...]] = {
    **{process: ("partitions",) for process in FOLDS},
    "feed": ("venue",),
    "gateway": ("assigned",),
}
