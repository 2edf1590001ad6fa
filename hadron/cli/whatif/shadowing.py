"""Runs a shadow from the asking to the answer."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from functools import partial
from math import inf
from typing import TYPE_CHECKING, Any

import msgspec
from rich.console import Console
from rich.live import Live

from hadron.cli import opening, output
from hadron.cli.exits import Exit
from hadron.cli.output import say
from hadron.cli.replay.again import Run
from hadron.cli.replay.bounds import Bound, Edge, Moment, Offsets
from hadron.cli.replay.journalled import journalled
from hadron.cli.whatif.beside import Beside
from hadron.cli.whatif.chosen import Asked, chosen
from hadron.cli.whatif.sight import Report, drawn, report
from hadron.errors import SettingsError
from hadron.settings import Settings
from hadron.topics import LIVE, SHADOWS
from hadron.variables import variable
from hadron.whatif.outbox import ShadowOutbox

if TYPE_CHECKING:
    from connectors.kafka.following import FollowingReader
    from connectors.kafka.log import KafkaLog

LOOK_S = 0.5
LINE_EVERY_S = 5.0
PATIENCE_S = 10.0  # for live to say all of what was followed
NICENESS = 10  # live comes first, where both are on one machine


class Wanted(msgspec.Struct, frozen=True):
    """What the command line asks for; None: no such bound."""

    asked: Asked
    from_beginning: bool
    for_s: float | None
    until: Bound | None


def shadowed(wanted: Wanted, settings: Settings, *, as_json: bool) -> Exit:
    """Follow, compare and print. OK only where the shadow decided what live did."""
    from connectors.kafka.following import FollowingReader
    from connectors.kafka.log import KafkaLog

    if settings.prefix:
        seen = f"{variable('prefix')}: {settings.prefix!r}"
        raise SettingsError([f"{seen}; wanted nothing, as a shadow is beside the live run"])
    os.nice(NICENESS)
    connection, name = opening.connection(settings), wanted.asked.text.partition("@")[0]
    with (
        closing(FollowingReader(connection, SHADOWS.group(name))) as reader,
        closing(KafkaLog(connection)) as log,
    ):
        last = _run(wanted, settings, reader, log, as_json=as_json)
    output.show(last, drawn(last), as_json=as_json)
    return Exit.OK if last.agree else Exit.CHECK_FAILED


def _run(
    wanted: Wanted, settings: Settings, reader: FollowingReader, log: KafkaLog, *, as_json: bool
) -> Report:
    from connectors.kafka.inspection import stamped_after
    from hadron.wiring import codec_of

    begun_s, codec = time.monotonic(), codec_of(settings)
    found = chosen(wanted.asked, reader, codec)
    partitions = settings.num_shards
    outbox = ShadowOutbox(log, codec, partitions=partitions)
    beside = Beside(found, reader=reader, outbox=outbox, codec=codec, partitions=partitions)
    bounds = _bounds(wanted, settings, reader)
    if wanted.from_beginning:
        beside.begin_at_the_beginning(partial(stamped_after, opening.admin(settings)))
    else:
        beside.begin_with_live()

    def now() -> Report:
        return report(beside, found.deployment, elapsed_s=time.monotonic() - begun_s)

    with _stopped() as stopped, _shown(as_json=as_json) as show:
        while not stopped():
            moved = beside.turn(bounds.until)
            reader.commit(beside.followed())
            show(now())
            if bounds.reached(beside):
                break
            if not moved:
                time.sleep(LOOK_S)
        _let_live_speak(beside, stopped)
    outbox.flush()
    return now()


def _let_live_speak(beside: Beside, stopped: Callable[[], bool]) -> None:
    """Wait until live has said all of what was followed, for as long as that is worth it."""
    patient_s = time.monotonic() + PATIENCE_S
    while not (beside.settled() or stopped()) and time.monotonic() < patient_s:
        time.sleep(LOOK_S)


class _Bounds(msgspec.Struct, frozen=True):
    """When to stop: the entries before which, by partition, and the time."""

    until: Mapping[int, int] | None
    at_s: float

    def reached(self, beside: Beside) -> bool:
        if time.monotonic() >= self.at_s:
            return True
        return self.until is not None and beside.reached(self.until)


def _bounds(wanted: Wanted, settings: Settings, reader: FollowingReader) -> _Bounds:
    from connectors.kafka.inspection import stamped_after

    for_s = inf if wanted.for_s is None else wanted.for_s
    until = wanted.until
    if isinstance(until, Moment) and (left_s := until.at_ms / 1000 - time.time()) > 0:
        until, for_s = None, min(for_s, left_s)
    at_s = time.monotonic() + for_s
    if until is None:
        return _Bounds(None, at_s)
    run = Run("engine", settings.num_shards, LIVE)
    stamped = partial(stamped_after, opening.admin(settings))
    # Offsets may lie ahead of what there is now, which no journal that is replayed has.
    ahead = until.by_place if isinstance(until, Offsets) else {}
    if strange := sorted(ahead.keys() - {(run.journal, p) for p in range(run.partitions)}):
        told = ", ".join(f"{topic}/{partition}" for topic, partition in strange)
        wanted_places = f"partitions 0 to {run.partitions - 1} of {run.journal}"
        raise SettingsError([f"--until: {told}; wanted {wanted_places}"])
    ranges = journalled(run, Edge(), Edge() if ahead else until, log=reader, stamped=stamped)
    ends = {partition: one.end for partition, one in ranges.items()}
    named = {partition: offset for (_, partition), offset in ahead.items()}
    return _Bounds({**ends, **named}, at_s)


@contextmanager
def _stopped() -> Iterator[Callable[[], bool]]:
    """Tells whether somebody wishes to stop: Ctrl-C ends a shadow as its bounds do."""
    wishes: list[int] = []

    def wished(number: int, _: Any) -> None:
        if wishes:
            raise KeyboardInterrupt
        wishes.append(number)

    before = {number: signal.signal(number, wished) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(wishes)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _shown(*, as_json: bool) -> Iterator[Callable[[Report], None]]:
    """On a terminal the whole, drawn again and again; else a line now and then, on stderr."""
    console = Console(stderr=True)
    if console.is_terminal and not as_json:
        with Live(console=console, transient=True, auto_refresh=False) as live:
            yield lambda found: live.update(drawn(found), refresh=True)
        return
    said_s = -inf

    def line(found: Report) -> None:
        nonlocal said_s
        if time.monotonic() - said_s >= LINE_EVERY_S:
            said_s = time.monotonic()
            counts = found.decisions
            say(
                f"{found.entries:,} entries, {counts['equal']:,} decisions equal,"
                f" {counts['shadow'] + counts['only_live'] - counts['equal']:,} not"
            )

    yield line
