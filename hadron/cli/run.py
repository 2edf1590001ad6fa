"""`hadron run`: one process of the platform, until it is told to stop."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from hadron.cli import options
from hadron.cli.environment import settings_of


class Process(StrEnum):
    """Every process that can be run."""

    FEED = "feed"
    NORMALIZE = "normalize"
    ENGINE = "engine"
    DESK = "desk"
    GATEWAY = "gateway"
    PORTFOLIO = "portfolio"
    ARCHIVE = "archive"
    LATEST = "latest"
    SIMULATOR = "simulator"


def run(
    context: typer.Context,
    process: Annotated[Process, typer.Argument(help="Which process.")],
    venue: Annotated[
        str | None, typer.Option(help="Of a feed: massive or coinbase.", show_default="massive")
    ] = None,
    tape: Annotated[
        str | None, typer.Option(help="Of the simulator: folder of recorded ticks to play.")
    ] = None,
    day: Annotated[
        list[str] | None,
        typer.Option(help="Of the simulator: day of the tape, as 20131007; may be repeated."),
    ] = None,
    seed: Annotated[
        str | None, typer.Option(help="Of the simulator: seed of a generated market.")
    ] = None,
    speed: Annotated[
        str | None, typer.Option(help="Of the simulator: 1x, 10x, 100x or max.")
    ] = None,
    faults: Annotated[
        str | None,
        typer.Option(
            help="Of the simulator: what goes wrong and when, as drop@5000,silence@8000:3."
        ),
    ] = None,
    directory: options.Directory = None,
) -> None:
    """Run one process until SIGTERM or Ctrl-C, with its log on stderr."""
    from hadron.wiring.processes import run_process

    asked = {
        "venue": venue,
        "tape": tape,
        "day": ",".join(day) if day else None,
        "seed": seed,
        "speed": speed,
        "faults": faults,
    }
    given = {name: value for name, value in asked.items() if value is not None}
    run_process(process.value, settings_of(context, directory), given)
