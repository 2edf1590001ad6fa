"""Plays a replay from the asking to the answer."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import nullcontext
from functools import partial
from secrets import token_hex
from typing import TYPE_CHECKING

import msgspec

from hadron.audit.single_file import single_file
from hadron.cli import opening, output
from hadron.cli.exits import Exit
from hadron.cli.replay import own, progress
from hadron.cli.replay.against import compared, left_by_live
from hadron.cli.replay.asking import DEAF, Asking, Hearing, controlled
from hadron.cli.replay.interrupting import sigterm_interrupts
from hadron.cli.replay.notes import notes
from hadron.cli.replay.pace import Pace, Speed
from hadron.cli.replay.paced import Paced
from hadron.cli.replay.report import Report, report, tables
from hadron.cli.replay.rerun import Outside, rerun
from hadron.cli.replay.seeking import find
from hadron.cli.replay.sources import Source, Straight
from hadron.cli.replay.span import Asked, Span, resolve
from hadron.errors import SettingsError
from hadron.topics import LIVE
from hadron.variables import variable

if TYPE_CHECKING:
    from hadron.settings import Settings


class Wanted(msgspec.Struct, frozen=True):
    """What the command line asks for; `run` None: a name made from the time."""

    asked: Asked
    speed: Speed
    run: str | None
    keep: bool
    asking: Asking

    @property
    def straight(self) -> bool:
        """Whether nothing holds the raw events back, and nobody can ask for it."""
        asks = self.asking.paused or self.asking.address is not None
        return self.speed is Speed.MAX and not asks


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
    heard = nullcontext(DEAF) if wanted.straight else controlled(wanted.asking)
    with sigterm_interrupts(), heard as hearing:
        found = _played(wanted, outside, hearing, as_json=as_json)
    output.show(found, *tables(found), as_json=as_json)
    return Exit.OK if found.holds else Exit.CHECK_FAILED


def _played(wanted: Wanted, outside: Outside, hearing: Hearing, *, as_json: bool) -> Report:
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
    source = _source(run, span, wanted, outside, hearing)
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
        with progress.shown(as_json=as_json, state=hearing.told) as show:
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


def _source(run: str, span: Span, wanted: Wanted, outside: Outside, hearing: Hearing) -> Source:
    from connectors.kafka.inspection import stamped_after

    if wanted.straight:
        return Straight(run, span, admin=outside.admin)
    return Paced(
        run,
        span,
        log=outside.log,
        pace=Pace(wanted.speed, playing=not wanted.asking.paused),
        find=partial(find, log=outside.log, stamped=partial(stamped_after, outside.admin)),
        controls=hearing.controls,
    )
