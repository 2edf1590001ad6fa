"""`hadron control`: people change rules, limits and strategies, and halt trading."""

from __future__ import annotations

import time

import msgspec
import typer

from hadron.cli import options, output
from hadron.cli.changing import Author, Reason, change, control
from hadron.cli.defaults import seed_defaults, seeded
from hadron.cli.environment import settings_of
from hadron.cli.limits import limits
from hadron.cli.rules import rules
from hadron.cli.strategies import strategy
from hadron.cli.subjects import subjects_of
from hadron.control.facts import ControlFact, TradingHalted, TradingResumed
from hadron.topics import key_of

__all__ = ["app", "seed_defaults"]

app = typer.Typer(
    help="Change rules, limits and strategies; halt and resume trading.", no_args_is_help=True
)


@app.command()
def show(
    context: typer.Context, directory: options.Directory = None, json: options.Json = False
) -> None:
    """Show what holds now, and whether every partition says so."""
    with control(context, directory) as log:
        found = log.by_partition()
        newest = dict(sorted(log.newest().items()))
    people = subjects_of(settings_of(context, directory))
    shown = {subject: people.shown(fact) for subject, fact in newest.items()}
    agreed = {
        subject: all(here.get(subject) == fact for here in found)
        for subject, fact in newest.items()
    }
    document = {
        subject: {"kind": type(fact).__name__, "everywhere": agreed[subject], "fact": fact}
        for subject, fact in shown.items()
    }
    rows = [
        (
            subject,
            fact.version,
            fact.author,
            fact.reason,
            "yes" if agreed[subject] else "NO",
            _told(fact),
        )
        for subject, fact in shown.items()
    ]
    columns = ("subject", "version", "author", "reason", "everywhere", "what")
    output.show(document, output.table("", columns, rows), as_json=json)


@app.command()
def halt(
    context: typer.Context,
    reason: Reason,
    author: Author,
    directory: options.Directory = None,
    json: options.Json = False,
) -> None:
    """Let no order leave until trading is resumed."""
    fact = TradingHalted(author, reason, time.time_ns(), 0)
    change(context, directory, lambda _: fact, as_json=json)


@app.command()
def resume(
    context: typer.Context,
    reason: Reason,
    author: Author,
    directory: options.Directory = None,
    json: options.Json = False,
) -> None:
    """Let orders leave again."""
    fact = TradingResumed(author, reason, time.time_ns(), 0)
    change(context, directory, lambda _: fact, as_json=json)


@app.command()
def defaults(
    context: typer.Context, directory: options.Directory = None, json: options.Json = False
) -> None:
    """Write the first rules, limits and strategies, unless somebody has set any."""
    with control(context, directory) as log:
        written = seeded(log, time.time_ns())
    rows = [(key_of(fact), type(fact).__name__) for fact in written]
    output.show(written, output.table("Written", ("subject", "what"), rows), as_json=json)


app.command()(rules)
app.command()(limits)
app.command()(strategy)


def _told(fact: ControlFact) -> str:
    fields = msgspec.to_builtins(fact)
    shown = [
        f"{name}={value}"
        for name, value in fields.items()
        if name not in ("author", "reason", "at_ns", "version")
    ]
    return " ".join([type(fact).__name__, *shown])
