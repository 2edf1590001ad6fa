"""The keys of a terminal that control a replay."""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from threading import Thread

from hadron.cli.output import say
from hadron.cli.replay.controls import PLAYING, Command, Controls, Player, Status
from hadron.cli.replay.pace import Speed
from hadron.cli.replay.requests import sought
from hadron.errors import RequestRefused

KEYS = (
    "keys: space plays and pauses, n steps, s seeks a time or offsets, + and - change the speed,"
    " Ctrl-C ends"
)
_ESCAPE, _DELETE = "\x1b", ("\x7f", "\b")


def _toggle(player: Player) -> None:
    if player.status().state == PLAYING:
        player.pause()
    else:
        player.play()


def _by(steps: int) -> Command:
    def change(player: Player) -> None:
        speeds = list(Speed)
        place = speeds.index(player.status().speed) + steps
        player.change(speeds[min(max(place, 0), len(speeds) - 1)])

    return change


COMMANDS: Mapping[str, Command] = {
    " ": _toggle,
    "n": lambda player: player.step(1),
    "+": _by(1),
    "-": _by(-1),
}


class Keyboard:
    """Turns keys into commands. `line` is what is typed just now, or what was refused."""

    def __init__(self, controls: Controls) -> None:
        self._controls = controls
        self._typed: str | None = None
        self._refused = ""

    @property
    def line(self) -> str:
        return self._refused if self._typed is None else f"seek to: {self._typed}_"

    def press(self, key: str) -> None:
        """Take one key; those that mean nothing are passed over."""
        if self._typed is not None:
            self._type(key, self._typed)
        elif key == "s":
            self._typed = ""
        elif key in COMMANDS:
            self._ask(COMMANDS[key])

    def _type(self, key: str, typed: str) -> None:
        if key in "\r\n":
            self._typed = None
            try:
                self._ask(sought(typed.strip()))
            except RequestRefused as error:
                self._refused = str(error)
        elif key == _ESCAPE:
            self._typed = None
        elif key in _DELETE:
            self._typed = typed[:-1]
        elif key.isprintable():
            self._typed = typed + key

    def _ask(self, command: Command) -> None:
        self._refused = ""
        self._controls.ask(command).add_done_callback(self._answered)

    def _answered(self, answer: Future[Status]) -> None:
        if error := answer.exception():
            self._refused = str(error)


def there() -> bool:
    """Whether a person is at a terminal, and we may read it: nobody has put us behind."""
    try:
        import termios  # noqa: F401  # not on every system

        return sys.stdin.isatty() and os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    except (ImportError, OSError, ValueError):
        return False


@contextmanager
def read(controls: Controls) -> Iterator[Keyboard]:
    """Read keys while inside; then the terminal is as it was."""
    import termios
    import tty

    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    board, (awake, wake) = Keyboard(controls), os.pipe()
    reading = Thread(target=_read, args=(board, terminal, awake), name="keys", daemon=True)
    reading.start()
    try:
        tty.setcbreak(terminal)
        say(KEYS)
        yield board
    finally:
        os.close(wake)
        reading.join()
        os.close(awake)
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


def _read(board: Keyboard, terminal: int, awake: int) -> None:
    while True:
        ready, _, _ = select.select([terminal, awake], [], [])
        if awake in ready:
            return
        try:
            keys = os.read(terminal, 256).decode("utf-8", "ignore")
        except OSError:
            keys = ""
        if not keys:
            return  # the terminal is gone
        if keys.startswith(_ESCAPE) and len(keys) > 1:
            continue  # an arrow or the like
        for key in keys:
            board.press(key)
