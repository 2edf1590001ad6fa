"""`hadron query`: what the archive has stored."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from hadron.cli import asking, options
from hadron.cli.environment import database_url, settings_of
from hadron.cli.newest import position, prices

app = typer.Typer(help="Ask the archive.", no_args_is_help=True)

# Of ticks, where nothing is said of the time: how far back from the newest one.
LOOK_BACK = timedelta(hours=1)
_WHOSE = {
    "instrument": asking.Instrument,
    "strategy": asking.Strategy,
    "portfolio": asking.Portfolio,
}
_WHEN = {"start": asking.From, "end": asking.To}


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


def _ask(name: str, answer: str, by: Mapping[str, Any], *, help: str, limit: int = 20) -> None:
    """Add a question: that of `queries` with this name, by these options."""

    def ask(context: typer.Context, directory: Path | None, json: bool, **wanted: Any) -> None:
        from connectors.timescale.querying import answers, queries

        url = database_url(settings_of(context, directory))
        found = getattr(queries, name)(url, **wanted)
        asking.show(found, getattr(answers, answer), as_json=json)

    app.command(name, help=help)(asking.with_options(ask, by, limit=limit))


_ask(
    "positions",
    "Holding",
    {**_WHOSE, "moment": asking.At, "before": asking.Before},
    limit=1000,
    help="Show the position of each portfolio, strategy and instrument, now or as of then.",
)
_ask(
    "exposure",
    "Exposure",
    {"portfolio": asking.Portfolio, "moment": asking.At, "before": asking.Before},
    help="Show what each portfolio has at risk and its limits, now or as of then.",
)
_ask(
    "gaps",
    "Gap",
    {"instrument": asking.Instrument, **_WHEN},
    help="Show the newest ticks before which some may be missing, and the silence before each.",
)
_ask(
    "alerts",
    "Alert",
    {"subject": asking.Subject, "raised": asking.Raised, **_WHEN},
    help="Show the newest alerts, and when each was over.",
)


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


_ask(
    "decisions",
    "Decision",
    {**_WHOSE, **_WHEN},
    help="Show the newest decisions and what became of each.",
)
_ask(
    "orders",
    "Order",
    {**_WHOSE, **_WHEN},
    help="Show the newest orders, refused ones included, with their fills.",
)
_ask(
    "slippage",
    "Slippage",
    {**_WHOSE, **_WHEN},
    help="Show the newest fills against the price to be had when it was decided; above 0 is worse.",
)
app.command()(prices)
app.command()(position)
