"""`hadron backtest check`: whether a strategy knows more than it was shown."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from hadron.cli import asking as times
from hadron.cli import defaults, output
from hadron.cli import options as common
from hadron.cli.backtest import options
from hadron.cli.exits import Exit


def check(
    context: typer.Context,
    strategy: options.Name,
    parameters: options.Parameters = None,
    instruments: options.Instruments = "",
    tape: options.Tape = None,
    symbols: options.Symbols = "",
    day: options.Day = None,
    parquet: options.Parquet = None,
    of: options.Kind = "raw",
    topic: options.Topic = "",
    table: options.Table = "",
    scenario: options.Scenario = "",
    seed: options.Seed = 7,
    seconds: options.Seconds = 600,
    start: times.From = None,
    end: times.To = None,
    cuts: Annotated[
        int, typer.Option(min=1, max=1_000, help="Moments at which it is cut and restarted.")
    ] = 8,
    directory: common.Directory = None,
    json: common.Json = False,
) -> None:
    """Run it again, on data that end earlier, and with restarts: it must decide the same.

    Ends with 3 if any decision differs. Tells how long the strategy decides otherwise when it is
    begun later: what has no end there never forgets.
    """
    from hadron.backtest.checking import check as checked
    from hadron.backtest.checking import collected
    from hadron.cli.backtest.feeding import feed
    from hadron.venues.registry import PARSERS

    asked = options.Asked(
        strategy=strategy,
        parameters=parameters,
        instruments=instruments,
        tape=tape,
        symbols=symbols,
        day=day,
        parquet=parquet,
        of=of,
        topic=topic,
        table=table,
        scenario=scenario,
        seed=seed,
        seconds=seconds,
        start=start,
        end=end,
        directory=directory,
    )
    fed = feed(asked, context, [defaults.rules(0)])
    found = checked(collected(fed.batches, PARSERS), fed.kinds, cuts=cuts)
    output.show(found, *_tables(found), as_json=json)
    if found.differences:
        raise typer.Exit(Exit.CHECK_FAILED)


def _tables(found: Any) -> list[Any]:
    said = f"{found.decisions:,} decisions on {found.ticks:,} ticks, {found.trials} trials: "
    verdict = f"{len(found.differences)} differ" if found.differences else "all decide the same"
    differences = [
        (one.trial, one.ticks, one.name, _wish(one.whole), _wish(one.found))
        for one in found.differences
    ]
    warm_ups = [(one.began, one.settled, one.decisions) for one in found.warm_ups]
    tables: list[Any] = [said + verdict]
    if differences:
        named = ("trial", "after ticks", "first decision", "with all data", "in the trial")
        tables.append(output.table("Differences", named, differences))
    columns = ("begun after ticks", "the same after ticks", "decisions")
    return [*tables, output.table("Begun later", columns, warm_ups)]


def _wish(decision: Any) -> str | None:
    return None if decision is None else f"{decision.side} {decision.quantity}"
