"""`hadron query`: what the archive has stored."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated

import typer

from hadron.cli import asking, options
from hadron.cli.environment import database_url, settings_of

app = typer.Typer(help="Ask the archive.", no_args_is_help=True)

# Of ticks, where nothing is said of the time: how far back from the newest one.
LOOK_BACK = timedelta(hours=1)


class Interval(StrEnum):
    """Widths of candles."""

    SECOND = "1s"
    MINUTE = "1m"
    HOUR = "1h"
    DAY = "1d"


@app.command()
def candles(
    context: typer.Context,
    instrument: Annotated[str, typer.Option(help="Which instrument, as eq:AAPL.")],
    every: Annotated[Interval, typer.Option(help="Width of a candle.")] = Interval.MINUTE,
    start: asking.From = None,
    end: asking.To = None,
    limit: asking.Limit = 100,
    directory: options.Directory = None,
    json: options.Json = False,
) -> None:
    """Show the newest candles of an instrument, oldest first. Times without a zone are UTC."""
    from connectors.timescale.querying import queries
    from connectors.timescale.querying.answers import Candle

    found = queries.candles(
        database_url(settings_of(context, directory)),
        instrument,
        every=every.value,
        start=start or datetime.fromtimestamp(0, UTC),
        # The clock of a venue may be ahead of ours.
        end=end or datetime.now(UTC) + timedelta(days=1),
        limit=limit,
    )
    asking.show(found, Candle, as_json=json)


@app.command()
def positions(
    context: typer.Context,
    instrument: asking.Instrument = None,
    strategy: asking.Strategy = None,
    portfolio: asking.Portfolio = None,
    at: Annotated[
        datetime | None,
        typer.Option(parser=asking.moment, metavar="<time>", help="As of this time."),
    ] = None,
    before: Annotated[
        dict[int, int] | None,
        typer.Option(
            parser=asking.offsets,
            metavar="<offsets>",
            help="As of these offsets of the topic positions, as positions/0=123,positions/1=77.",
        ),
    ] = None,
    limit: asking.Limit = 1000,
    directory: options.Directory = None,
    json: options.Json = False,
) -> None:
    """Show the position of each portfolio, strategy and instrument, now or as of then."""
    from connectors.timescale.querying import queries
    from connectors.timescale.querying.answers import Holding

    found = queries.positions(
        database_url(settings_of(context, directory)),
        instrument=instrument,
        strategy=strategy,
        portfolio=portfolio,
        moment=at,
        before=before,
        limit=limit,
    )
    asking.show(found, Holding, as_json=json)


@app.command()
def gaps(
    context: typer.Context,
    instrument: asking.Instrument = None,
    start: asking.From = None,
    end: asking.To = None,
    limit: asking.Limit = 20,
    directory: options.Directory = None,
    json: options.Json = False,
) -> None:
    """Show the newest ticks before which some may be missing, and the silence before each."""
    from connectors.timescale.querying import queries
    from connectors.timescale.querying.answers import Gap

    url = database_url(settings_of(context, directory))
    found = queries.gaps(url, instrument=instrument, start=start, end=end, limit=limit)
    asking.show(found, Gap, as_json=json)


@app.command()
def lag(
    context: typer.Context,
    instrument: asking.Instrument = None,
    start: asking.From = None,
    end: asking.To = None,
    limit: asking.Limit = 1000,
    directory: options.Directory = None,
    json: options.Json = False,
) -> None:
    """Show by instrument how late ticks came, and how many were gap, late, stale or suspect.

    Without --to up to the newest tick that is stored, without --from of the hour before that.
    """
    from connectors.timescale.querying import queries
    from connectors.timescale.querying.answers import Lag

    url = database_url(settings_of(context, directory))
    newest = queries.newest_tick(url, instrument) if end is None else None
    end = end or (newest or datetime.now(UTC)) + timedelta(microseconds=1)
    start = start or end - LOOK_BACK
    found = queries.lag(url, instrument=instrument, start=start, end=end, limit=limit)
    asking.show(found, Lag, as_json=json)


def _about_orders(name: str, answer: str, help: str) -> None:
    """Add a question whose answers have a strategy, a portfolio, an instrument and a time."""

    @app.command(name, help=help)
    def ask(
        context: typer.Context,
        instrument: asking.Instrument = None,
        strategy: asking.Strategy = None,
        portfolio: asking.Portfolio = None,
        start: asking.From = None,
        end: asking.To = None,
        limit: asking.Limit = 20,
        directory: options.Directory = None,
        json: options.Json = False,
    ) -> None:
        from connectors.timescale.querying import answers, queries

        found = getattr(queries, name)(
            database_url(settings_of(context, directory)),
            instrument=instrument,
            strategy=strategy,
            portfolio=portfolio,
            start=start,
            end=end,
            limit=limit,
        )
        asking.show(found, getattr(answers, answer), as_json=json)


_about_orders("decisions", "Decision", "Show the newest decisions and what became of each.")
_about_orders("orders", "Order", "Show the newest orders, refused ones included, with their fills.")
_about_orders(
    "slippage",
    "Slippage",
    "Show the newest fills against the price to be had when it was decided; above 0 is worse.",
)
