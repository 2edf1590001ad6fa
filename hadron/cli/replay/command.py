"""The command `hadron replay`."""

from __future__ import annotations

import re
from enum import StrEnum
from functools import partial
from math import inf
from typing import Annotated, Any

import typer

from hadron.cli import options
from hadron.cli.environment import settings_of
from hadron.cli.replay.bounds import BEGINNING, END, Bound, bound
from hadron.cli.replay.pace import Speed


class Process(StrEnum):
    """Whose journal there is."""

    ENGINE = "engine"
    DESK = "desk"
    PORTFOLIO = "portfolio"


def _bound(edge: str, text: str) -> Bound:
    try:
        return bound(text, edge=edge)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < inf:
        raise typer.BadParameter(f"{text!r}; wanted seconds, 0 or more")
    return seconds


def _address(text: str) -> Any:
    from hadron.cli.replay.requests import address

    try:
        return address(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def _run(text: str) -> str:
    # It becomes part of the names of topics, which dots separate.
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", text):
        raise typer.BadParameter(f"{text!r}; wanted 1 to 64 letters, digits, hyphens, underscores")
    return text


def replay(
    context: typer.Context,
    start: Annotated[
        Any,
        typer.Option(
            "--from",
            parser=partial(_bound, BEGINNING),
            metavar="<time|offsets>",
            help="First raw event: beginning, a time of receipt as 2013-10-07T14:30:00Z, or offsets"
            " as raw.massive/0=123,raw.massive/1=77, where the rest is from the beginning.",
        ),
    ],
    end: Annotated[
        Any,
        typer.Option(
            "--to",
            parser=partial(_bound, END),
            metavar="<time|offsets>",
            help="Raw event before which it ends: end, which is where the log ends now, a time, or"
            " offsets, where the rest is to the end.",
        ),
    ] = END,
    speed: Annotated[
        Speed,
        typer.Option(help="Times as fast as the events were received; it changes no result."),
    ] = Speed.MAX,
    control: Annotated[
        Any,
        typer.Option(
            parser=_address,
            metavar="<host:port>",
            help="Listen there, on this machine only, for GET /status and POST /play, /pause,"
            ' /step {"count": 1}, /seek {"to": "<time|offsets>"}, /speed {"speed": "10x"}. Port 0'
            " is any; it is told.",
            show_default=False,
        ),
    ] = None,
    paused: Annotated[
        bool, typer.Option("--paused", help="Begin paused at --from, to step or to seek first.")
    ] = False,
    warm_up: Annotated[
        Any,
        typer.Option(
            parser=_seconds,
            metavar="<seconds>",
            help="Seconds of receipt before --from that are read first and not compared.",
        ),
    ] = "300",
    compare: Annotated[
        bool,
        typer.Option(
            "--compare",
            help="Step what the journal names, in its order, and hold every fact against the log,"
            " byte for byte; --from and --to are times or offsets of the journal then.",
        ),
    ] = False,
    process: Annotated[
        Process, typer.Option(help="With --compare: whose journal.")
    ] = Process.ENGINE,
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="With --compare: processes.", show_default="one a core"),
    ] = None,
    run: Annotated[
        str | None,
        typer.Option(
            parser=_run,
            metavar="<name>",
            help="Name of the replay, new each time.",
            show_default="made from the time",
        ),
    ] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave topics and groups of the replay on Kafka.")
    ] = False,
    directory: options.Directory = None,
    json: options.Json = False,
) -> None:
    """Step raw events again in topics of their own, and compare the decisions with the live ones.

    Ends with 3 if any differ. Nothing is ordered, and no live topic or group is written. On a
    terminal, keys control it: space plays and pauses, n steps, s seeks, + and - change the speed;
    without --compare not at max, unless --control or --paused is given. A seek skips nothing: what
    lies between is stepped at once. Only --compare seeks back, from its first entry on.
    """
    from hadron.cli.replay.asking import Asking

    asking = Asking(control, paused)
    if compare:
        from hadron.cli.replay import identical

        again = identical.Wanted(
            process=process.value,
            begin=start,
            end=end,
            speed=speed,
            workers=workers,
            asking=asking,
        )
        settings = settings_of(context, directory)
        raise typer.Exit(identical.identical(again, settings, as_json=json))
    from hadron.cli.replay.play import Wanted, play
    from hadron.cli.replay.span import Asked

    wanted = Wanted(
        asked=Asked(start, end, int(warm_up * 1000)),
        speed=speed,
        run=run,
        keep=keep,
        asking=asking,
    )
    code = play(wanted, settings_of(context, directory), context.obj, as_json=json)
    raise typer.Exit(code)
