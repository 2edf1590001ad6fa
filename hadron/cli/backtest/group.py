"""`hadron backtest`: yesterday's market, tomorrow's strategy."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

from hadron.cli.backtest.bars import bars
from hadron.cli.backtest.check import check
from hadron.cli.backtest.report import report
from hadron.cli.backtest.run import run
from hadron.cli.backtest.scan import scan
from hadron.cli.backtest.search import search


class Group(TyperGroup):
    """A first word that is no command is the strategy of `run`."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """See click.Group."""
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            args = ["run", *args]
        return super().resolve_command(ctx, args)


app = typer.Typer(
    cls=Group,
    help="Try strategies on what was recorded. `hadron backtest STRATEGY` is short for `run`.",
    no_args_is_help=True,
)
app.command()(run)
app.command()(check)
app.command()(bars)
app.command()(search)
app.command()(scan)
app.command()(report)
