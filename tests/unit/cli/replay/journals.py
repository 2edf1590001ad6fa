"""A journal of the engine in memory, and a replay of it in a thread of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

from connectors.memory import MemoryLog
from hadron.audit.checkpoints import Recovered
from hadron.audit.facts import SequencedSlice, SlicesSequenced
from hadron.cli.replay import worker
from hadron.cli.replay.again import FOLDS, Run
from hadron.cli.replay.bounds import Bound, Edge
from hadron.cli.replay.conductor import Conductor
from hadron.cli.replay.controls import Command, Controls, Status
from hadron.cli.replay.equality import Compared
from hadron.cli.replay.identical import stepped
from hadron.cli.replay.journalled import journalled
from hadron.cli.replay.lines import Lines
from hadron.cli.replay.pace import Speed
from hadron.cli.replay.seeking import find
from hadron.topics import LIVE
from streams.shard import Place, Shard
from tests.support import T0_NS, a_strategy, a_trade, codec
from tests.unit.cli.replay.logs import BEGUN_MS, stamped_on

SHARDS = 2
RUN = Run("engine", SHARDS, LIVE)
JOURNAL = "journal.engine"
TICKS = 8  # an entry


def a_journalled_log(*seconds: Sequence[float]) -> MemoryLog:
    """Of each shard the entries sequenced at these seconds, and what was decided then."""
    log, encode = MemoryLog(), codec().encode
    for partition, stamps in enumerate(seconds):
        shard = Shard(Place("engine", SHARDS, LIVE), partition, FOLDS["engine"][0](), Recovered())
        log.append("control", partition, [(None, encode(a_strategy()))])
        for number, second in enumerate(stamps):
            first = number * TICKS
            ticks = [_a_tick(partition, first + place) for place in range(TICKS)]
            log.append("ticks.warm", partition, [(None, encode(tick)) for tick in ticks])
            slices = [SequencedSlice("ticks.warm", first, first + TICKS)]
            if not number:
                slices.insert(0, SequencedSlice("control", 0, 1))
            entry = SlicesSequenced("engine", slices)
            stamp_ms = BEGUN_MS + int(second * 1000)
            log.append(JOURNAL, partition, [(None, encode(entry))], timestamp_ms=stamp_ms)
            for slice in slices:
                records = list(log.read(slice.topic, partition, start=slice.first, end=slice.end))
                for fact in shard.step(slice.topic, records, codec()):
                    log.append("decisions", partition, [(None, encode(fact))])
    return log


class Replaying:
    """A replay that goes on in another thread; time stands still until `now_s` is changed."""

    def __init__(self, log: MemoryLog, begin: Bound, *, paused: bool) -> None:
        self.now_s = 1000.0
        self.controls = Controls()
        self._log = log
        self._paused = paused
        stamped = stamped_on(log)
        self._find = partial(find, log=log, stamped=stamped)
        self.ranges = journalled(RUN, begin, Edge(), log=log, stamped=stamped)
        self.result: Future[list[Compared]] = Future()

    def play(self, speed: Speed) -> list[Compared]:
        work = partial(worker.work, RUN, log=self._log, codec=codec())
        conduct = partial(self._conduct, speed=speed)
        return stepped(work, self.ranges, workers=1, conduct=conduct)

    def ask(self, command: Command) -> Status:
        """The status once it is done."""
        return self.controls.ask(command).result(20)

    def status(self) -> Status:
        """Where it is now."""
        return self.ask(lambda player: None)

    def until(self, holds: Callable[[Status], bool]) -> Status:
        """The status as soon as that holds."""
        deadline = time.monotonic() + 20
        while not holds(status := self.status()):
            assert time.monotonic() < deadline, status
        return status

    def _conduct(self, lines: Lines, *, speed: Speed) -> None:
        Conductor(
            RUN,
            self.ranges,
            lines,
            find=self._find,
            show=lambda done, total: None,
            controls=self.controls,
            now_s=lambda: self.now_s,
        ).conduct(speed, paused=self._paused)


@contextmanager
def replaying(
    log: MemoryLog, *, speed: Speed = Speed.MAX, paused: bool = True, begin: Bound | None = None
) -> Iterator[Replaying]:
    """A replay that has ended when the block is left."""
    made = Replaying(log, begin or Edge(), paused=paused)
    with ThreadPoolExecutor(1) as pool:
        made.result = pool.submit(made.play, speed)
        made.result.add_done_callback(lambda _: made.controls.end())
        try:
            yield made
        finally:
            if not made.result.done():
                made.controls.ask(lambda player: player.change(Speed.MAX))
                made.controls.ask(lambda player: player.play())


def straight(log: MemoryLog) -> list[Compared]:
    """What comes of it when nobody asks for anything."""
    with replaying(log, paused=False) as playing:
        return playing.result.result(20)


def _a_tick(partition: int, number: int) -> object:
    cents = 10_000 + (number * 7919) % 400
    return a_trade(
        f"{cents / 100:.2f}",
        instrument=f"eq:S{partition}",
        raw_partition=partition,
        raw_offset=number,
        at_ns=T0_NS + number,
        sequence=number + 1,
    )
