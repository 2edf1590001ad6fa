"""The ways to ask something of a replay while it runs: keys of the terminal, and HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import msgspec

from hadron.cli.output import say
from hadron.cli.replay import keyboard
from hadron.cli.replay.controls import Controls
from hadron.cli.replay.requests import Address, serving
from hadron.errors import SettingsError


class Asking(msgspec.Struct, frozen=True):
    """What the command line says of it; `address` None: no HTTP."""

    address: Address | None
    paused: bool


class Hearing(msgspec.Struct, frozen=True):
    """`controls` None: nobody can ask. `told` is what the terminal shows of it."""

    controls: Controls | None
    told: Callable[[], str]


DEAF = Hearing(None, str)


@contextmanager
def controlled(asking: Asking) -> Iterator[Hearing]:
    """Take what is asked while inside. Raise SettingsError if it begins paused for ever."""
    keys = keyboard.there()
    if not keys and asking.address is None:
        if asking.paused:
            raise SettingsError(
                ["--paused: nobody could let it go on; wanted --control too, or a terminal"]
            )
        yield DEAF
        return
    controls = Controls()
    with ExitStack() as stack:
        if asking.address is not None:
            port = stack.enter_context(serving(controls, asking.address))
            host = asking.address.host
            say(f"control: http://{f'[{host}]' if ':' in host else host}:{port}/status")
        typed = stack.enter_context(keyboard.read(controls)) if keys else None
        # Before the server stops: it waits for answers.
        stack.callback(controls.end)
        yield Hearing(controls, lambda: _told(controls, typed))


def _told(controls: Controls, typed: keyboard.Keyboard | None) -> str:
    status, line = controls.status, typed.line if typed else ""
    where = f"{status.state} {status.speed} {status.at or ''}" if status else ""
    return f"{where} {line}".strip()
