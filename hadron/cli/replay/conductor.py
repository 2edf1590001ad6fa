"""Gives the workers of a replay by the journal leave to go on: at a pace, by steps, up to a place.

All entries are stepped, in their order, whatever is asked: so it changes nothing of what follows.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import msgspec

from hadron.cli.replay.again import Range, Run
from hadron.cli.replay.bounds import Bound
from hadron.cli.replay.controls import PAUSED, PLAYING, SEEKING, Controls, Status, moment
from hadron.cli.replay.lines import Lines
from hadron.cli.replay.pace import Pace, Speed
from hadron.cli.replay.seeking import Find


class Conductor:
    """A Player. `controls` None: nobody asks, and a worker may go as soon as it has done all."""

    def __init__(
        self,
        run: Run,
        ranges: Mapping[int, Range],
        lines: Lines,
        *,
        find: Find,
        show: Callable[[int, int], None],
        controls: Controls | None = None,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._run = run
        self._ranges = ranges
        self._lines = lines
        self._find = find
        self._show = show
        self._controls = controls
        self._now_s = now_s
        self._pace = Pace(Speed.MAX, playing=False)
        self._seeks = 0
        self._seeking = False
        self._until = {partition: bounds.begin for partition, bounds in ranges.items()}

    def conduct(self, speed: Speed, *, paused: bool) -> None:
        """Return when each shard has taken its last entry, and its worker was told so."""
        self._pace = Pace(speed, playing=False)
        if not paused and speed is Speed.MAX:
            self._pace = Pace(speed)
        else:
            self._seek(self._until)
            if not paused:
                self.play()
        while not self._lines.over:
            self._give()
            self._turn()
            if self._controls:
                self._controls.serve(self)
            else:
                self._lines.dismiss_done()
        self._lines.dismiss_done()

    def play(self) -> None:
        """See Player."""
        if not self._pace.playing:
            self._go_on(self._pace.speed)

    def pause(self) -> None:
        """See Player."""
        self._pace = msgspec.structs.replace(self._pace, playing=False)
        self._settle()

    def step(self, count: int) -> None:
        """See Player."""
        self.pause()
        for _ in range(count):
            if (nearest := self._nearest()) is None:
                return
            _, partition = nearest
            self._until[partition] = self._lines.next[partition][0] + 1
            self._settle()

    def seek(self, to: Bound) -> None:
        """See Player. Back is once more from the first entry on: nothing else has the state."""
        playing, journal = self._pace.playing, self._run.journal
        within = {(journal, p): (bounds.begin, bounds.end) for p, bounds in self._ranges.items()}
        until = {partition: at for (_, partition), at in self._find(to, within).items()}
        self.pause()
        self._seek(until)
        if playing:
            self.play()

    def change(self, speed: Speed) -> None:
        """See Player."""
        if self._pace.playing:
            self.pause()
            self._go_on(speed)
        else:
            self._pace = msgspec.structs.replace(self._pace, speed=speed)

    def status(self) -> Status:
        """See Player."""
        nearest = self._nearest()
        state = SEEKING if self._seeking else PLAYING if self._pace.playing else PAUSED
        return Status(
            self._run.process,
            state,
            self._pace.speed,
            moment(nearest[0]) if nearest else None,
            {f"{self._run.journal}/{p}": at for p, (at, _) in sorted(self._lines.next.items())},
            *self._counted(),
        )

    def _go_on(self, speed: Speed) -> None:
        nearest = self._nearest()
        self._pace = Pace(speed, at_ms=nearest[0] if nearest else 0, at_s=self._now_s())

    def _seek(self, until: Mapping[int, int]) -> None:
        self._seeks += 1
        self._until, self._seeking = dict(until), True
        try:
            self._settle()
        finally:
            self._seeking = False

    def _settle(self) -> None:
        """Return once all workers have done what they have leave to, and wait."""
        self._give()
        while not self._lines.idle:
            self._turn()

    def _give(self) -> None:
        self._lines.give(self._seeks, self._until, self._pace.due_ms(self._now_s()))

    def _turn(self) -> None:
        self._lines.look()
        self._show(*self._counted())
        if self._controls:
            self._controls.status = self.status()

    def _nearest(self) -> tuple[int, int] | None:
        """The stamp and the partition of the entry that is next, as far as stamps are known."""
        known = [(stamp, p) for p, (_, stamp) in self._lines.next.items() if stamp is not None]
        return min(known, default=None)

    def _counted(self) -> tuple[int, int]:
        ranges, at = self._ranges, self._lines.next
        done = sum(at[partition][0] - bounds.first for partition, bounds in ranges.items())
        return done, sum(bounds.end - bounds.first for bounds in ranges.values())
