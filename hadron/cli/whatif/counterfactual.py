"""The command `hadron counterfactual`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from hadron.cli import options
from hadron.cli.environment import settings_of
from hadron.cli.replay.bounds import BEGINNING, END, Bound, Moment, bound


def at_bound(edge: str, text: str) -> Bound:
    """Read an option's bound. Raise BadParameter with the text seen and what is wanted."""
    try:
        return bound(text, edge=edge)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def _day(text: str) -> tuple[Bound, Bound]:
    try:
        begin = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise typer.BadParameter(f"{text!r}; wanted a day as 2013-10-07") from None
    end = begin + timedelta(days=1)
    return Moment(int(begin.timestamp()) * 1000), Moment(int(end.timestamp()) * 1000)


def counterfactual(
    context: typer.Context,
    limits: Annotated[
        Path | None,
        typer.Option(
            metavar="<file>",
            help="Other limits, by portfolio, as `hadron control show --json` prints those in"
            " force. Without it those in force hold, and nothing may change.",
        ),
    ] = None,
    day: Annotated[
        Any,
        typer.Option(
            parser=_day, metavar="<day>", help="The day that it is about, in UTC: 2013-10-07."
        ),
    ] = None,
    start: Annotated[
        Any,
        typer.Option(
            "--from",
            parser=partial(at_bound, BEGINNING),
            metavar="<time|offsets>",
            help="First entry of journal.desk that is judged anew: beginning, a time, or offsets as"
            " journal.desk/0=120.",
        ),
    ] = None,
    end: Annotated[
        Any,
        typer.Option(
            "--to",
            parser=partial(at_bound, END),
            metavar="<time|offsets>",
            help="Entry before which it ends: end, a time, or offsets.",
        ),
    ] = None,
    directory: options.Directory = None,
    json: options.Json = False,
) -> None:
    """Show which orders other limits would have stopped or allowed, and what that comes to.

    Ends with 3 if live's own limits do not lead to what is on the log. Writes nothing.
    """
    if day is not None and (start is not None or end is not None):
        raise typer.BadParameter("--day is given with --from or --to; wanted one or the other")
    begin, until = day or (
        start or at_bound(BEGINNING, BEGINNING),
        end or at_bound(END, END),
    )
    from hadron.cli.whatif.limits_file import read_limits
    from hadron.cli.whatif.other_limits import other_limits

    found = read_limits(limits) if limits is not None else {}
    settings = settings_of(context, directory)
    raise typer.Exit(other_limits(found, begin, until, settings=settings, as_json=json))
