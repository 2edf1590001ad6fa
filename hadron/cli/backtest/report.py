"""`hadron backtest report`: the figures and the page of a backtest that was written to a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from hadron.cli import options
from hadron.cli.backtest import asking
from hadron.cli.backtest.extra import demand
from hadron.errors import ContractError, SettingsError


def report(
    file: Annotated[Path, typer.Argument(help="A whole result, as JSON.")],
    days_a_year: asking.DaysAYear = 252.0,
    html: Annotated[
        Path | None, typer.Option(help="Write the report with charts to this file.")
    ] = None,
    json: options.Json = False,
) -> None:
    """Report a backtest that was written to a file: figures, attribution, trades, charts."""
    demand(*(("numpy", "plotly") if html else ("numpy",)))
    from hadron.backtest.report.report import Kept
    from hadron.backtest.report.report import report as reported
    from hadron.cli.backtest.showing import show_report, write_page

    try:
        kept = msgspec.json.decode(file.read_bytes(), type=Kept)
    except OSError as error:
        raise SettingsError([f"FILE: {str(file)!r}: {error.strerror}"]) from error
    except msgspec.DecodeError as error:
        raise ContractError(f"{str(file)!r} is no result of a backtest: {error}") from error
    made = reported(kept, days_a_year=days_a_year)
    if html is not None:
        write_page(html, made, title=", ".join(kept.run.strategies) or "backtest")
    show_report(made, as_json=json)
