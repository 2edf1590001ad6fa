"""Plays a replay from the asking to the answer."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from secrets import token_hex
from typing import TYPE_CHECKING, Any

import msgspec

from hadron.audit.single_file import single_file
from hadron.cli import opening, output
from hadron.cli.exits import Exit
from hadron.cli.replay import own, progress
from hadron.cli.replay.against import compared, left_by_live
from hadron.cli.replay.notes import notes
from hadron.cli.replay.report import Report, report, tables
from hadron.cli.replay.rerun import Outside, rerun
from hadron.cli.replay.sources import Paced, Source, Straight
from hadron.cli.replay.span import Asked, Span, resolve
from hadron.errors import SettingsError
from hadron.topics import LIVE
from hadron.variables import variable

if TYPE_CHECKING:
    from hadron.settings import Settings


class Wanted(msgspec.Struct, frozen=True):
    """What the command line asks for; `run` None: a name made from the time."""

    asked: Asked
    speed: str
    run: str | None
    keep: bool


def play(wanted: Wanted, settings: Settings, environ: Mapping[str, str], *, as_json: bool) -> Exit:
    """Replay, compare and print. Return OK only where all decisions are equal.

    Whatever happens, no process is left running, and without `keep` nothing is left on Kafka.
    """
    from hadron.wiring import codec_of

    if settings.prefix:
        seen = f"{variable('prefix')}: {settings.prefix!r}"
        raise SettingsError([f"{seen}; wanted nothing, as a replay is made of the live run"])
    outside = Outside(
        settings, environ, opening.admin(settings), opening.fact_log(settings), codec_of(settings)
    )
    with _sigterm_interrupts():
        found = _played(wanted, outside, as_json=as_json)
    output.show(found, *tables(found), as_json=as_json)
    return Exit.OK if found.holds else Exit.CHECK_FAILED


def _played(wanted: Wanted, outside: Outside, *, as_json: bool) -> Report:
    from connectors.kafka.inspection import stamped_after

    begun_s, settings = time.monotonic(), outside.settings
    partitions = settings.num_shards
    span = resolve(
        wanted.asked,
        log=outside.log,
        stamped=partial(stamped_after, outside.admin),
        partitions=partitions,
    )
    run = wanted.run or f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{token_hex(2)}"
    source = _source(run, wanted.speed, span, outside)
    in_force = list(outside.control(LIVE).newest().values())
    kept = [topic.name for topic in own.declared(source.names)] if wanted.keep else []
    with own.made(
        outside.admin,
        source.names,
        partitions=partitions,
        replication=settings.replication,
        keep=wanted.keep,
    ):
        outside.control(source.names).write(*single_file(in_force))
        with progress.shown(as_json=as_json) as show:
            rerun(source, span, outside, show)
        behind = left_by_live(span, outside)
        return report(
            compared(source, span, outside),
            span,
            run=run,
            speed=wanted.speed,
            elapsed_s=round(time.monotonic() - begun_s, 2),
            notes=notes(span, in_force, behind=behind),
            kept=kept,
        )


def _source(run: str, speed: str, span: Span, outside: Outside) -> Source:
    from hadron.wiring.simulator import speed_of

    factor = speed_of(speed)
    if factor:
        return Paced(run, span, log=outside.log, speed=factor)
    return Straight(run, span, admin=outside.admin)


@contextmanager
def _sigterm_interrupts() -> Iterator[None]:
    """A wish to stop leaves through every `finally`, as Ctrl-C does."""

    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
