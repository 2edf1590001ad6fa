"""Runs normalize and engine over a span of raw events again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import msgspec

from hadron.cli.changes import Control
from hadron.cli.fleet import Fleet, Job
from hadron.cli.replay import isolation
from hadron.cli.replay.bounds import Place
from hadron.cli.replay.own import PROCESSES
from hadron.cli.replay.passage import Patience, passage
from hadron.cli.replay.progress import Show
from hadron.cli.replay.sources import Source
from hadron.cli.replay.span import Places, Span
from hadron.errors import HadronError
from hadron.ports import Codec, FactLog
from hadron.topics import CONTROL, TICKS, Names

if TYPE_CHECKING:
    from confluent_kafka.admin import AdminClient

    from hadron.settings import Settings

LOOK_S = 0.25
GIVE_UP_S = 60.0  # without any progress
MAX_RESTARTS = 3


class Outside(msgspec.Struct, frozen=True):
    """What a replay works with."""

    settings: Settings
    environ: Mapping[str, str]
    admin: AdminClient
    log: FactLog
    codec: Codec

    def control(self, names: Names) -> Control:
        """The control topic of a run."""
        topic = names.read(CONTROL.name)
        return Control(self.log, self.codec, topic=topic, partitions=self.settings.num_shards)


class Reach(msgspec.Struct, frozen=True):
    """What a process is to take. There may be more than the goal of now, but `at_least` so much."""

    process: str
    first: Callable[[], Places]
    goal: Callable[[], Places]
    at_least: int = 0


def rerun(source: Source, span: Span, outside: Outside, show: Show) -> None:
    """Return once the engine has taken every tick that follows from the span.

    Raise HadronError if a process keeps dying or gets nowhere. No process is left running.
    """
    names, log = source.names, outside.log
    source.begin()
    with _fleet(source, outside) as fleet:
        normalized = Reach("normalize", source.first, source.goal, at_least=span.read)
        _until_taken(normalized, fleet, source, outside.admin, show=show)
        fleet.stop("normalize")
        ticks = tick_places(names, outside.settings.num_shards)
        first, goal = log.starts(ticks), log.ends(ticks)
        decided = Reach("engine", lambda: first, lambda: goal)
        _until_taken(decided, fleet, source, outside.admin, show=show)


def tick_places(names: Names, partitions: int) -> list[Place]:
    """Every partition of ticks.* in a run."""
    lanes = [names.read(topic.name) for topic in TICKS.values()]
    return [(lane, partition) for lane in lanes for partition in range(partitions)]


@contextmanager
def _fleet(source: Source, outside: Outside) -> Iterator[Fleet]:
    told = isolation.environment(
        outside.settings, outside.environ, names=source.names, raw=source.raw
    )
    with TemporaryDirectory(prefix="hadron-replay-") as directory:
        fleet = Fleet(told, Path(directory))
        try:
            for process in PROCESSES:
                # Faust makes a directory, though it keeps nothing there.
                fleet.start(Job(process, environment={"APP_DATADIR": f"{directory}/{process}"}))
            yield fleet
        finally:
            fleet.stop_all()


def _until_taken(
    reach: Reach, fleet: Fleet, source: Source, admin: AdminClient, *, show: Show
) -> None:
    patience, group = Patience(GIVE_UP_S), source.names.group(reach.process)
    while True:
        _tend(fleet)
        source.advance(LOOK_S)
        done = passage(admin, group, first=reach.first(), goal=reach.goal())
        show(reach.process, done.taken, max(done.taken + done.left, reach.at_least))
        if not done.left and not source.offering:
            return
        if patience.ended(done):
            raise HadronError(
                f"{reach.process} has not taken any of {done.left:,} records in {GIVE_UP_S:g} s;"
                f" the end of its log:\n{fleet.last_words(reach.process)}"
            )


def _tend(fleet: Fleet) -> None:
    for name in fleet.tend():
        if fleet.running[name].restarts > MAX_RESTARTS:
            raise HadronError(
                f"{name} died {MAX_RESTARTS + 1} times; the end of its log:\n"
                + fleet.last_words(name)
            )
