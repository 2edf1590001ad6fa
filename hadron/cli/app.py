"""The command line of `hadron`."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.main import get_command

from hadron.cli.commands import Commands
from hadron.cli.exits import MEANING

EPILOG = "Exit codes: " + "; ".join(f"{code.value} {text}" for code, text in MEANING.items()) + "."


def command() -> Any:
    """The whole command line, as one click command."""
    app = typer.Typer(
        help="From a venue's frame to an audited decision and order, on a Kafka log.",
        epilog=EPILOG,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
    )
    app.callback()(_start)
    whole: Any = get_command(app)
    whole.commands = Commands()
    return whole


def _print_version(wanted: bool) -> None:
    if wanted:
        from hadron.cli import output
        from hadron.cli.version import package_version

        output.show(None, package_version(), as_json=False)
        raise typer.Exit


def _start(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Show the version and exit.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    pass
