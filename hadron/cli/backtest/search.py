"""`hadron backtest search`: many sets of parameters on bars, on all cores."""

from __future__ import annotations

from typing import Annotated

import typer

from hadron.cli import asking as times
from hadron.cli import options
from hadron.cli.backtest import asking
from hadron.cli.backtest.extra import demand
from hadron.cli.query import Interval
from hadron.errors import SettingsError


def search(
    context: typer.Context,
    strategy: asking.Kind,
    instrument: asking.Instrument,
    param: Annotated[
        list[str],
        typer.Option(
            metavar="<name=values>",
            help="Values to try, as fast=5:50:5 (both ends are tried) or fast=5,8,13; may be"
            " repeated.",
        ),
    ],
    tape: asking.Tape = None,
    ticks: asking.Ticks = False,
    every: asking.Every = Interval.MINUTE,
    start: times.From = None,
    end: times.To = None,
    parameters: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="<name=value>", help="A parameter for all of them; may be repeated."
        ),
    ] = None,
    draws: Annotated[
        int | None,
        typer.Option("--random", min=1, help="Try so many drawn combinations instead of all."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of what is drawn.")] = 7,
    metric: Annotated[
        str,
        typer.Option(
            help="What is ranked by, the highest first: sharpe, sortino, calmar, total_return,"
            " annual_return, profit, profit_factor, hit_rate or max_drawdown."
        ),
    ] = "sharpe",
    walk_forward: Annotated[
        int,
        typer.Option(min=0, help="Choose again for each of so many tests, by the bars before it."),
    ] = 0,
    train: Annotated[
        int, typer.Option(min=1, help="Length of a training, in lengths of a test.")
    ] = 3,
    best: Annotated[int, typer.Option(min=1, help="How many of the best are shown.")] = 20,
    jobs: Annotated[int, typer.Option(min=0, help="Processes; 0 is one for each core.")] = 0,
    fees: asking.Fees = "none",
    slippage: asking.Slippage = "none",
    capital: asking.Capital = asking.CAPITAL,
    days_a_year: asking.DaysAYear = 252.0,
    directory: options.Directory = None,
    json: options.Json = False,
) -> None:
    """Try many sets of parameters on bars, rank them, and walk forward through time.

    What is chosen and measured on the same bars is called in-sample; out-of-sample are only the
    tests of --walk-forward, whose bars nobody chose by.
    """
    demand("numpy")
    from hadron.backtest.search.search import found
    from hadron.backtest.search.space import axis, candidates
    from hadron.backtest.search.trial import METRICS, Trying
    from hadron.backtest.search.windows import windows
    from hadron.cli.backtest.pool import tried
    from hadron.cli.backtest.showing import show_found
    from hadron.cli.replay.progress import shown

    if metric not in METRICS:
        raise SettingsError([f"--metric: {metric!r}; wanted one of {', '.join(METRICS)}"])
    kind = asking.kind_of(strategy)
    axes, fixed = dict(map(axis, param)), asking.values("--set", parameters)
    sets = candidates(kind, axes, fixed=fixed, draws=draws, seed=seed)
    source = asking.Source(instrument, tape, ticks, every, start, end)
    bars = asking.bars_of(source, context, directory)
    spans = windows(len(bars), tests=walk_forward, train_spans=train) if walk_forward else []
    market = asking.market_of(bars, fees=fees, slippage=slippage, capital=capital)
    trying = Trying(market, kind, metric, spans, days_a_year)
    with shown(as_json=json) as show:
        trials = tried(
            trying, sets, jobs=jobs, show=lambda done, total: show("trials", done, total)
        )
    said = {"strategy": strategy, "param": param, "set": fixed, "fees": fees, "slippage": slippage}
    drawn = {} if draws is None else {"random": draws, "seed": seed}
    run = asking.ran(source, bars, **said, **drawn, walk_forward=walk_forward, train=train)
    show_found(found(trying, sets, trials, run=dict(run), best=best), as_json=json)
