"""The commands of `hadron` and what their help says."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.main import get_command

from hadron.cli import archive, control, keys, newest, output, query, storage, subjects, topics
from hadron.cli.backtest import group as backtest
from hadron.cli.demo.command import demo
from hadron.cli.doctor import doctor
from hadron.cli.exits import MEANING
from hadron.cli.explain.command import explain
from hadron.cli.migrate import migrate
from hadron.cli.rebuild import rebuild
from hadron.cli.replay.command import replay
from hadron.cli.run import run
from hadron.cli.stack import down, up
from hadron.cli.status import status
from hadron.cli.verify.command import verify
from hadron.cli.verify.proofs import prove, verify_proof
from hadron.cli.version import package_version, version

EPILOG = "Exit codes: " + "; ".join(f"{code.value} {text}" for code, text in MEANING.items()) + "."

GROUPS = {
    "topics": topics.app,
    "query": query.app,
    "control": control.app,
    "keys": keys.app,
    "archive": archive.app,
    "storage": storage.app,
    "subjects": subjects.app,
    "backtest": backtest.app,
}
COMMANDS = (
    *(demo, up, down, status, doctor, run, migrate, rebuild),
    *(verify, prove, verify_proof, replay, explain, version),
)


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
    for one in COMMANDS:
        app.command()(one)
    query.app.command()(newest.prices)
    query.app.command()(newest.position)
    for name, group in GROUPS.items():
        app.add_typer(group, name=name)
    return get_command(app)


def _print_version(wanted: bool) -> None:
    if wanted:
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
