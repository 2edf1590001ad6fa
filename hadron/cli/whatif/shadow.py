"""The command `hadron shadow`."""

from __future__ import annotations

from enum import StrEnum
from functools import partial
from typing import Annotated, Any

import typer

from hadron.cli import options
from hadron.cli.environment import settings_of
from hadron.cli.replay.bounds import END
from hadron.cli.whatif.counterfactual import at_bound


class Start(StrEnum):
    """Where a shadow begins."""

    LIVE = "live"
    BEGINNING = "beginning"


def shadow(
    context: typer.Context,
    strategy: Annotated[
        str,
        typer.Argument(
            help="Name of a strategy of live's, or NAME@VERSION: then the code and the parameters"
            " here must be that version, of which the first digits are enough."
        ),
    ],
    kind: Annotated[
        str | None,
        typer.Option(
            help="Another kind than live's: SimpleSMA, Crossover, SMACross, file.py:Class."
        ),
    ] = None,
    parameters: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="<name=value>", help="A parameter; may be repeated."),
    ] = None,
    start: Annotated[
        Start,
        typer.Option(
            "--from",
            help="live: with the state of its newest checkpoint; beginning: with nothing, at the"
            " first entry that the journal still has.",
        ),
    ] = Start.LIVE,
    seconds: Annotated[
        float | None, typer.Option("--for", min=0, help="Stop after so many seconds.")
    ] = None,
    until: Annotated[
        Any,
        typer.Option(
            parser=partial(at_bound, END),
            metavar="<time|offsets>",
            help="Stop before this entry of journal.engine: end, which is where it ends now, a"
            " time, or offsets as journal.engine/0=120.",
        ),
    ] = None,
    directory: options.Directory = None,
    json: options.Json = False,
) -> None:
    """Run a strategy beside live on what live steps, and show where they decide differently.

    Ends with 3 if they do. Writes shadow.* and nothing else; orders nothing. Without a bound it
    goes on until Ctrl-C.
    """
    from hadron.cli.whatif.chosen import Asked
    from hadron.cli.whatif.shadowing import Wanted, shadowed

    wanted = Wanted(
        asked=Asked(strategy, kind, parameters or ()),
        from_beginning=start is Start.BEGINNING,
        for_s=seconds,
        until=until,
    )
    raise typer.Exit(shadowed(wanted, settings_of(context, directory), as_json=json))
