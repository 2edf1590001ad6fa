"""What people ask of a replay while it runs: to play, pause, step, seek, go faster or slower."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from datetime import UTC, datetime
from queue import Empty, SimpleQueue
from typing import Protocol

import msgspec

from hadron.cli.replay.bounds import Bound
from hadron.cli.replay.pace import Speed
from hadron.errors import RequestRefused

PLAYING, PAUSED, SEEKING, ENDED = "playing", "paused", "seeking", "ended"


class Status(msgspec.Struct, frozen=True):
    """Where a replay is. `next` has the offset of the next entry of each partition, `at` the stamp
    of the nearest of them; `done` of `total` entries are done.
    """

    replay: str  # engine, desk or portfolio: whose journal; or raw
    state: str
    speed: Speed
    at: str | None
    next: dict[str, int]
    done: int
    total: int


class Player(Protocol):
    """A replay that its own thread can tell what to do; it raises RequestRefused if it cannot."""

    def play(self) -> None:
        """Go on with the next entry, by the speed; nothing if it does."""

    def pause(self) -> None:
        """Return once nothing moves any more."""

    def step(self, count: int) -> None:
        """Pause, and do the next entries, by their time; fewer if there are no more."""

    def seek(self, to: Bound) -> None:
        """Return once the next entry is the first that lies there."""

    def change(self, speed: Speed) -> None:
        """Go on by another speed."""

    def status(self) -> Status:
        """Where it is."""


Command = Callable[[Player], None]


def moment(stamp_ms: int) -> str:
    """A stamp as people write it, in UTC."""
    at = datetime.fromtimestamp(stamp_ms / 1000, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Controls:
    """Takes what is asked to the thread that plays. Safe to use from any thread."""

    def __init__(self, status: Status | None = None) -> None:
        self.status = status  # the newest; None before it begins
        self._asked: SimpleQueue[tuple[Command, Future[Status]]] = SimpleQueue()
        self._ended = False

    def ask(self, command: Command) -> Future[Status]:
        """The status afterwards, once it is done; or RequestRefused, or what else was wrong."""
        answer: Future[Status] = Future()
        self._asked.put((command, answer))
        if self._ended:
            self._refuse_all()
        return answer

    def serve(self, player: Player) -> None:
        """Do what was asked since."""
        while (asked := self._taken()) is not None:
            command, answer = asked
            try:
                command(player)
            except RequestRefused as error:
                answer.set_exception(error)
            except BaseException as error:
                answer.set_exception(error)
                raise
            else:
                self.status = player.status()
                answer.set_result(self.status)
        self.status = player.status()

    def end(self) -> None:
        """Refuse what is asked from now on."""
        self._ended = True
        if self.status is not None:
            self.status = msgspec.structs.replace(self.status, state=ENDED)
        self._refuse_all()

    def _refuse_all(self) -> None:
        while (asked := self._taken()) is not None:
            asked[1].set_exception(
                RequestRefused("replay", ENDED, "one that has something left to do")
            )

    def _taken(self) -> tuple[Command, Future[Status]] | None:
        while True:
            try:
                command, answer = self._asked.get_nowait()
            except Empty:
                return None
            if answer.set_running_or_notify_cancel():
                return command, answer
