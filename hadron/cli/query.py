"""`hadron query`: what the archive has stored."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any

import msgspec
import typer

from hadron.cli import options, output
from hadron.cli.environment import database_url, settings_of

app = typer.Typer(help="Ask the archive.", no_args_is_help=True)


class Interval(StrEnum):
    """Widths of candles."""

    SECOND = "1s"
    MINUTE = "1m"
    HOUR = "1h"
    DAY = "1d"


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r}; wanted a time as 2013-10-07T14:30:00Z") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


Instrument = Annotated[str | None, typer.Option(help="Of this instrument only, as eq:AAPL.")]
Strategy = Annotated[str | None, typer.Option(help="Of this strategy only.")]
Portfolio = Annotated[str | None, typer.Option(help="Of this portfolio only.")]
Limit = Annotated[int, typer.Option(min=1, max=100_000, help="Most rows.")]


@app.command()
def candles(
    context: typer.Context,
    instrument: Annotated[str, typer.Option(help="Which instrument, as eq:AAPL.")],
    every: Annotated[Interval, typer.Option(help="Width of a candle.")] = Interval.MINUTE,
    start: Annotated[
        datetime | None,
        typer.Option(
            "--from", parser=_moment, metavar="<time>", help="First time.", show_default="1970"
        ),
    ] = None,
    end: Annotated[
        datetime | None,
        typer.Option(
            "--to", parser=_moment, metavar="<time>", help="Time before which.", show_default="now"
        ),
    ] = None,
    limit: Limit = 100,
    directory: options.Directory = None,
    json: options.Json = False,
) -> None:
    """Show the newest candles of an instrument, oldest first. Times without a zone are UTC."""
    from connectors.timescale import queries
    from connectors.timescale.answers import Candle

    found = queries.candles(
        database_url(settings_of(context, directory)),
        instrument,
        every=every.value,
        start=start or datetime.fromtimestamp(0, UTC),
        # The clock of a venue may be ahead of ours.
        end=end or datetime.now(UTC) + timedelta(days=1),
        limit=limit,
    )
    _show(found, Candle, json)


@app.command()
def decisions(
    context: typer.Context,
    instrument: Instrument = None,
    strategy: Strategy = None,
    portfolio: Portfolio = None,
    limit: Limit = 20,
    directory: options.Directory = None,
    json: options.Json = False,
) -> None:
    """Show the newest decisions and what became of each."""
    from connectors.timescale import queries
    from connectors.timescale.answers import Decision

    url = database_url(settings_of(context, directory))
    found = queries.decisions(
        url, instrument=instrument, strategy=strategy, portfolio=portfolio, limit=limit
    )
    _show(found, Decision, json)


@app.command()
def orders(
    context: typer.Context,
    instrument: Instrument = None,
    strategy: Strategy = None,
    portfolio: Portfolio = None,
    limit: Limit = 20,
    directory: options.Directory = None,
    json: options.Json = False,
) -> None:
    """Show the newest orders, refused ones included, with their executions."""
    from connectors.timescale import queries
    from connectors.timescale.answers import Order

    url = database_url(settings_of(context, directory))
    found = queries.orders(
        url, instrument=instrument, strategy=strategy, portfolio=portfolio, limit=limit
    )
    _show(found, Order, json)


@app.command()
def positions(
    context: typer.Context,
    instrument: Instrument = None,
    strategy: Strategy = None,
    portfolio: Portfolio = None,
    limit: Limit = 1000,
    directory: options.Directory = None,
    json: options.Json = False,
) -> None:
    """Show the latest position of each portfolio, strategy and instrument."""
    from connectors.timescale import queries
    from connectors.timescale.answers import Holding

    url = database_url(settings_of(context, directory))
    found = queries.positions(
        url, instrument=instrument, strategy=strategy, portfolio=portfolio, limit=limit
    )
    _show(found, Holding, json)


def _show(found: Sequence[msgspec.Struct], kind: type[msgspec.Struct], as_json: bool) -> None:
    columns = [field for field in kind.__struct_fields__ if not field.startswith("log_")]
    rows = [[_cell(getattr(row, column)) for column in columns] for row in found]
    output.show(found, output.table("", columns, rows), as_json=as_json)


def _cell(value: Any) -> str | None:
    match value:
        case None:
            return None
        case datetime():
            return value.astimezone(UTC).isoformat(" ", "milliseconds").removesuffix("+00:00")
        case dict():
            return " ".join(f"{name}={text}" for name, text in value.items())
        case _:
            return str(value)
