"""`hadron doctor`: finds what is wrong with a set-up, and says what to do about it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from hadron.cli import options, output
from hadron.cli.environment import lacking, load
from hadron.cli.exits import Exit
from hadron.errors import SettingsError

if TYPE_CHECKING:
    from rich.text import Text

    from hadron.cli.checks.finding import Finding
    from hadron.cli.checks.probes import Clock

_STYLE = {"info": "blue", "warning": "yellow", "error": "red"}


def doctor(
    context: typer.Context, directory: options.Directory = None, json: options.Json = False
) -> None:
    """Check settings, Kafka, database, Redis, clocks and this machine. Ends with 3 on an error.

    Nothing is changed. Each finding says what was seen, what is wanted and what to do.
    """
    findings = list(examine(context.obj, directory, time.time_ns))
    rows = [(_mark(one), one.check, one.seen, one.wanted, one.remedy) for one in findings]
    columns = ("", "check", "seen", "wanted", "remedy")
    output.show(findings, output.table("", columns, rows), as_json=json)
    if any(one.failed for one in findings):
        raise typer.Exit(Exit.CHECK_FAILED)


def examine(environ: Mapping[str, str], directory: Path | None, now_ns: Clock) -> Iterator[Finding]:
    """Every finding, sound ones too. `now_ns` is this machine's clock."""
    from hadron.cli.checks import machine, probes, signatures, variables

    yield variables.unknown(environ)
    try:
        settings = load(environ, directory)
    except SettingsError as problem:
        yield from variables.problems(problem)
        return
    yield variables.massive_key(settings)
    yield signatures.key(settings)
    yield from probes.of_kafka(settings, now_ns)
    yield from probes.of_database(settings, now_ns)
    yield from probes.of_redis(settings, now_ns)
    yield machine.http_port(settings)
    if not lacking():
        from connectors.local.places import default_directory

        yield machine.disk(directory or default_directory())


def _mark(one: Finding) -> Text:
    from rich.text import Text

    return Text("ok", "green") if one.ok else Text(one.severity, _STYLE[one.severity])
