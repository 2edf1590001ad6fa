"""`hadron backtest bars`: one strategy on bars, all at once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hadron.cli import asking as times
from hadron.cli import options
from hadron.cli.backtest import asking
from hadron.cli.backtest.extra import demand
from hadron.cli.query import Interval


def bars(
    context: typer.Context,
    strategy: asking.Kind,
    instrument: asking.Instrument,
    tape: asking.Tape = None,
    ticks: asking.Ticks = False,
    every: asking.Every = Interval.MINUTE,
    start: times.From = None,
    end: times.To = None,
    parameters: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="<name=value>", help="A parameter; may be repeated."),
    ] = None,
    fees: asking.Fees = "none",
    slippage: asking.Slippage = "none",
    capital: asking.Capital = asking.CAPITAL,
    days_a_year: asking.DaysAYear = 252.0,
    html: Annotated[
        Path | None, typer.Option(help="Write the report with charts to this file.")
    ] = None,
    directory: options.Directory = None,
    json: options.Json = False,
) -> None:
    """Run a strategy on bars: decided at each close, filled at the next open.

    A strategy that offers `signals` is asked about all bars at once, any other bar by bar.
    """
    demand(*(("numpy", "plotly") if html else ("numpy",)))
    from hadron.backtest.bars.reporting import bar_report
    from hadron.cli.backtest.showing import show_report, write_page
    from hadron.strategy.vectorised import wishes

    kind = asking.kind_of(strategy)
    made = asking.made(strategy, kind, parameters)
    source = asking.Source(instrument, tape, ticks, every, start, end)
    found = asking.bars_of(source, context, directory)
    market = asking.market_of(found, fees=fees, slippage=slippage, capital=capital)
    quantity = made.quantity
    traded = market.trade(wishes(kind, made, found), quantity=float(quantity))
    report = bar_report(
        market,
        traded,
        strategy=strategy,
        quantity=quantity,
        run=asking.ran(source, found, parameters=made, fees=fees, slippage=slippage),
        days_a_year=days_a_year,
    )
    if html is not None:
        write_page(html, report, title=f"{strategy} on {instrument}")
    show_report(report, as_json=json)
