"""`hadron backtest`: yesterday's market, tomorrow's strategy."""

from __future__ import annotations

import typer

from hadron.cli.backtest.bars import bars
from hadron.cli.backtest.report import report
from hadron.cli.backtest.search import search

app = typer.Typer(help="Try strategies on what was recorded.", no_args_is_help=True)
app.command()(bars)
app.command()(search)
app.command()(report)
