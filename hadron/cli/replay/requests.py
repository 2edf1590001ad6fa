"""What is asked of a replay over HTTP, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

import msgspec

from hadron.cli.replay.bounds import BEGINNING, bound
from hadron.cli.replay.controls import Command, Controls, Player, Status
from hadron.cli.replay.pace import Speed
from hadron.errors import RequestRefused

if TYPE_CHECKING:
    from connectors.http.serving import Serving

Body = Mapping[str, Any]


class Address(msgspec.Struct, frozen=True):
    """Where it is listened to."""

    host: str
    port: int


def address(text: str) -> Address:
    """Read host:port. Raise ValueError for what others could reach: nobody is asked who he is."""
    host, _, port = text.rpartition(":")
    bare = host.removeprefix("[").removesuffix("]")
    try:
        ours = bare == "localhost" or ip_address(bare).is_loopback
    except ValueError:
        ours = False
    if not ours or not port.isdecimal() or int(port) > 65535:
        raise ValueError(
            f"{text!r}; wanted an address that only this machine reaches, as 127.0.0.1:8089, with"
            " port 0 for any"
        )
    return Address(bare, int(port))


def serving(controls: Controls, at: Address) -> Serving:
    """The server, not started yet."""
    from connectors.http.commanding import application
    from connectors.http.serving import Serving

    def asked(read: Callable[[Body], Command]) -> Callable[[Body], Future[Status]]:
        return lambda body: controls.ask(read(body))

    commands = {name: asked(read) for name, read in READ.items()}
    return Serving(
        lambda: application(lambda: controls.status, commands),
        host=at.host,
        port=at.port,
        settings=("--control", "--control"),
    )


def _play(body: Body) -> Command:
    _check(body)
    return lambda player: player.play()


def _pause(body: Body) -> Command:
    _check(body)
    return lambda player: player.pause()


def _step(body: Body) -> Command:
    _check(body, "count")
    count = body.get("count", 1)
    if type(count) is not int or count < 1:
        raise RequestRefused("count", repr(count), "a whole number, 1 or more")
    return lambda player: player.step(count)


def _seek(body: Body) -> Command:
    _check(body, "to")
    return sought(body.get("to"))


def sought(text: Any) -> Command:
    """The command that seeks a place. Raise RequestRefused for what names none."""
    try:
        to = bound(text if isinstance(text, str) else "", edge=BEGINNING)
    except ValueError as error:
        _, _, wanted = str(error).partition("; wanted ")
        raise RequestRefused("to", repr(text), wanted) from None

    def seek(player: Player) -> None:
        player.seek(to)

    return seek


def _speed(body: Body) -> Command:
    _check(body, "speed")
    asked: Any = body.get("speed")
    try:
        speed = Speed(asked)
    except ValueError:
        raise RequestRefused("speed", repr(asked), f"one of {', '.join(Speed)}") from None
    return lambda player: player.change(speed)


READ: Mapping[str, Callable[[Body], Command]] = {
    "play": _play,
    "pause": _pause,
    "step": _step,
    "seek": _seek,
    "speed": _speed,
}


def _check(body: Body, *known: str) -> None:
    for name, value in body.items():
        if name not in known:
            wanted = f"only {', '.join(known)}" if known else "no setting here"
            raise RequestRefused(name, repr(value), wanted)
