"""The command `hadron demo`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from hadron.cli.options import Json


def demo(
    context: typer.Context,
    live: Annotated[
        bool, typer.Option("--live", help="Play the public feed of Coinbase; needs no key.")
    ] = False,
    tape: Annotated[Path | None, typer.Option(help="Play recorded ticks from this folder.")] = None,
    symbols: Annotated[str, typer.Option(help="Symbols to play, by comma.")] = "",
    day: Annotated[
        list[str] | None, typer.Option(help="Day of a tape, as 20131007; may be repeated.")
    ] = None,
    speed: Annotated[
        str, typer.Option(help="1x, 10x, 100x or max. A tape plays at max, else 10x.")
    ] = "",
    seconds: Annotated[
        float | None,
        typer.Option("--for", help="Stop after so many seconds. A tape plays to its end, else 60."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of a generated market.")] = 7,
    directory: Annotated[
        Path | None,
        typer.Option(
            "--dir", help="Keep data here between runs. Without it each demo begins empty."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Start everything, play a market through it, show it live, and prove that nothing was lost.

    Ctrl-C ends the market, then shows the summary; a second one stops at once.
    """
    from hadron.cli.demo import market as markets
    from hadron.cli.demo.show import Bounds, play
    from hadron.errors import SettingsError
    from hadron.settings import Settings

    if live and tape:
        raise SettingsError(["--live and --tape: both are given; wanted at most one"])
    chosen = tuple(symbol.strip() for symbol in symbols.split(",") if symbol.strip())
    host = str(Settings.__dataclass_fields__["coinbase_url"].default)
    if tape is not None:
        market = markets.tape(tape, chosen, tuple(day or ()), speed or "max")
    elif live or (not chosen and markets.reachable(host)):
        market = markets.live(chosen)
    else:
        market = markets.generated(chosen, seed, speed or "10x")
    bounds = Bounds(seconds if seconds is not None else None if tape else 60.0)
    environ: Mapping[str, str] = context.obj
    code = play(market, bounds, environ=environ, directory=directory, as_json=as_json)
    raise typer.Exit(code)
