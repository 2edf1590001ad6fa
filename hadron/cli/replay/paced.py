"""Raw events at a pace: what somebody can pause, step and hurry on."""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec

from hadron.cli.replay.bounds import Bound
from hadron.cli.replay.controls import PAUSED, PLAYING, SEEKING, Controls, Status, moment
from hadron.cli.replay.copying import Copying
from hadron.cli.replay.pace import Pace, Speed
from hadron.cli.replay.seeking import Find
from hadron.cli.replay.span import Places, Span
from hadron.errors import RequestRefused
from hadron.ports import FactLog
from hadron.strategy.facts import DecisionMade
from hadron.topics import paced_names

Clock = tuple[Callable[[], float], Callable[[float], None]]  # the time in seconds, and to wait
TURN_S = 0.05  # how long nobody looks at what is asked


class Paced:
    """A Source of copies, each made when it is due; and a Player.

    The warm-up is copied at once, and so is what a seek passes over.
    """

    raw = "copied"

    def __init__(
        self,
        run: str,
        span: Span,
        *,
        log: FactLog,
        pace: Pace,
        find: Find,
        controls: Controls | None = None,
        clock: Clock = (time.monotonic, time.sleep),
    ) -> None:
        self.names = paced_names(run)
        self.offering = True
        self._now_s, self._sleep = clock
        self._span = span
        self._log = log
        self._pace = pace
        self._find = find
        self._controls = controls
        self._copying = Copying(span, self.names, log)
        self._seeking = self._begun = False

    def begin(self) -> None:
        """See Source. The run's own topics are read from their beginning."""
        self._copying.begin()
        self._hurry(self._span.start)

    def advance(self, for_s: float) -> None:
        """Copy what is due, wait for what will be, and do what is asked meanwhile."""
        if not self._begun:
            # Not before: the processes take a while to start.
            self._begun = True
            self._go_on(self._pace)
        until_s = self._now_s() + for_s
        while (now_s := self._now_s()) < until_s:
            if self._controls:
                self._controls.serve(self)
            self._turn(min(until_s, now_s + TURN_S))

    def first(self) -> Places:
        """See Source."""
        return {(self.names.read(topic), p): 0 for topic, p in self._copying.copies}

    def goal(self) -> Places:
        """See Source."""
        return {
            (self.names.read(topic), partition): copies.count
            for (topic, partition), copies in self._copying.copies.items()
        }

    def original(self, decision: DecisionMade) -> DecisionMade:
        """See Source."""
        copies = self._copying.copies[decision.raw_topic, decision.raw_partition]
        return msgspec.structs.replace(decision, raw_offset=copies.original(decision.raw_offset))

    def play(self) -> None:
        """See Player."""
        if not self._pace.playing:
            self._go_on(msgspec.structs.replace(self._pace, playing=True))

    def pause(self) -> None:
        """See Player. What was copied is taken all the same."""
        self._pace = msgspec.structs.replace(self._pace, playing=False)

    def step(self, count: int) -> None:
        """See Player."""
        self.pause()
        for _ in range(count):
            if self._copying.next_ms is None:
                break
            self._copying.copy()
        self._log.flush()

    def seek(self, to: Bound) -> None:
        """See Player. Only on: what was decided stays decided."""
        ends, starts, at = self._span.end, self._span.start, self._copying.next
        within = {p: (start, ends[p]) for p, start in starts.items() if start < ends[p]}
        until = self._find(to, within)
        for place, offset in until.items():
            if offset < at[place]:
                seen = f"{place[0]}/{place[1]}={offset}"
                wanted = f"{at[place]} or more, as only --compare goes back"
                raise RequestRefused("to", seen, wanted)
        self._hurry(until)
        self._go_on(self._pace)

    def change(self, speed: Speed) -> None:
        """See Player."""
        self._go_on(msgspec.structs.replace(self._pace, speed=speed))

    def status(self) -> Status:
        """See Player. What is done is copied; the processes may be on their way to it."""
        state = SEEKING if self._seeking else PLAYING if self._pace.playing else PAUSED
        next_ms = self._copying.next_ms
        return Status(
            "raw",
            state,
            self._pace.speed,
            None if next_ms is None else moment(next_ms),
            {f"{topic}/{p}": offset for (topic, p), offset in self._copying.next.items()},
            sum(copies.count for copies in self._copying.copies.values()),
            self._span.read,
        )

    def _turn(self, until_s: float) -> None:
        while self._wait_s() <= 0 and self._now_s() < until_s:
            self._copying.copy()
        if self._copying.next_ms is None and self.offering:
            self._log.flush()
            self.offering = False
        self._log.poll()
        self._sleep(max(0.0, min(self._wait_s(), until_s - self._now_s())))

    def _wait_s(self) -> float:
        """Until the next is due, or somebody may have asked for something."""
        next_ms, due_ms = self._copying.next_ms, self._pace.due_ms(self._now_s())
        if next_ms is None or not self._pace.playing:
            return TURN_S
        if next_ms <= due_ms:
            return 0.0
        return (next_ms - due_ms) / 1000 / self._pace.speed.factor

    def _go_on(self, pace: Pace) -> None:
        """Take the next as due now."""
        at_ms = self._copying.next_ms or 0
        self._pace = msgspec.structs.replace(pace, at_ms=at_ms, at_s=self._now_s())

    def _hurry(self, until: Places) -> None:
        self._seeking = True
        try:
            self._copying.hurry(until, told=self._tell)
        finally:
            self._seeking = False
        self._log.flush()

    def _tell(self) -> None:
        if self._controls:
            self._controls.status = self.status()
