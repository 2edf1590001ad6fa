"""`hadron strategy`: which versions of strategies there are, and what each was made of."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Annotated

import typer

from hadron.cli import opening, options, output
from hadron.cli.environment import database_url, settings_of
from hadron.errors import HadronError, SettingsError
from hadron.ports import Codec
from hadron.strategy.facts import StrategyDeployed
from hadron.topics import CONTROL, STRATEGIES

if TYPE_CHECKING:
    from rich.console import RenderableType

    from hadron.settings import Settings

SHORTEST = 6  # digits of a hash that are taken for the whole

app = typer.Typer(
    help="Versions of strategies: which there are, and what each is made of.", no_args_is_help=True
)


@app.command("list")
def list_(
    context: typer.Context, directory: options.Directory = None, json: options.Json = False
) -> None:
    """Show the strategies that are configured, each with the version that would run here.

    `ran` says whether the log knows of it.
    """
    from hadron.cli.changes import Control
    from hadron.control.facts import StrategyConfigured
    from hadron.wiring import codec_of
    from hadron.wiring.strategies import resolve

    settings = settings_of(context, directory)
    codec, log = codec_of(settings), opening.fact_log(settings)
    topic = opening.names(settings).read(CONTROL.name)
    newest = Control(log, codec, topic=topic, partitions=settings.num_shards).newest()
    ran = {fact.version for fact in on_log(settings, codec)}
    configured = [fact for fact in newest.values() if isinstance(fact, StrategyConfigured)]
    found = []
    for fact in sorted(configured, key=lambda one: one.name):
        version = resolve(fact.name, newest).version
        found.append(
            {
                "name": fact.name,
                "kind": fact.kind,
                "enabled": fact.enabled,
                "version": version,
                "ran": version in ran,
            }
        )
    columns = ("name", "kind", "enabled", "version", "ran")
    output.show(
        found, output.table("", columns, [list(one.values()) for one in found]), as_json=json
    )


@app.command()
def show(
    context: typer.Context,
    version: Annotated[
        str,
        typer.Argument(
            metavar="HASH", help="Version of a decision, or how it begins.", show_default=False
        ),
    ],
    source: Annotated[
        str | None,
        typer.Option(metavar="<module>", help="Print the source of this module, and nothing else."),
    ] = None,
    directory: options.Directory = None,
    json: options.Json = False,
) -> None:
    """Show what a version was made of: code, parameters, models, and versions of what it imports.

    It is looked for on the log, then in the database. Ends with 1 if neither knows it.
    """
    from hadron.wiring import codec_of

    if not re.fullmatch(rf"[0-9a-f]{{{SHORTEST},64}}", version):
        raise typer.BadParameter(f"{version!r}; wanted {SHORTEST} to 64 digits of a hash, 0 to f")
    settings = settings_of(context, directory)
    found = known(version, settings, codec_of(settings))
    if source is None:
        output.show(found, *_tables(found), as_json=json)
    elif source in found.modules:
        typer.echo(found.modules[source], nl=False)
    else:
        wanted = ", ".join(found.modules) or "none"
        raise typer.BadParameter(f"--source: {source!r}; {version} has modules {wanted}")


def known(version: str, settings: Settings, codec: Codec) -> StrategyDeployed:
    """The version that a hash, or its beginning, names. Raise HadronError if none or several."""
    found = [fact for fact in on_log(settings, codec) if fact.version.startswith(version)]
    asked = ["the log"]
    if not found and (url := _database(settings)) is not None:
        from connectors.timescale.querying.versions import versions

        found = versions(url, version, codec)
        asked.append("the database")
    if not found:
        raise HadronError(f"no version of a strategy begins with {version} in {' or '.join(asked)}")
    if len(found) > 1:
        several = ", ".join(sorted(fact.version for fact in found))
        raise HadronError(f"{version} begins {len(found)} versions: {several}; give more of it")
    return found[0]


def on_log(settings: Settings, codec: Codec) -> list[StrategyDeployed]:
    """Every version that the log knows; none where no broker answers."""
    from connectors.kafka.reach import answers

    if not answers(settings.kafka):
        return []
    log = opening.fact_log(settings)
    topic = opening.names(settings).read(STRATEGIES.name)
    places = [(topic, partition) for partition in range(settings.num_shards)]
    starts, ends = log.starts(places), log.ends(places)
    found = [
        codec.decode(record.value)
        for place in places
        if starts[place] < ends[place]
        for record in log.read(*place, start=starts[place], end=ends[place])
        if record.value is not None
    ]
    return list({fact.version: fact for fact in found}.values())


def _database(settings: Settings) -> str | None:
    try:
        return database_url(settings)
    except SettingsError:
        return None  # none is known: the log is all there is


def _tables(found: StrategyDeployed) -> Sequence[RenderableType]:
    deployed = datetime.fromtimestamp(found.at_ns // 10**9, UTC).isoformat(" ")
    head = [
        ("version", found.version),
        ("kind", found.kind),
        ("entry", found.entry),
        ("configured", deployed),
    ]
    modules = [
        (name, len(text.splitlines()), sha256(text.encode()).hexdigest())
        for name, text in found.modules.items()
    ]
    return [
        output.table("", ("", ""), head),
        output.table("Parameters", ("name", "value"), list(found.parameters.items())),
        output.table("Modules", ("name", "lines", "SHA-256"), modules),
        output.table("Models", ("file", "SHA-256"), list(found.models.items())),
        output.table("Distributions", ("name", "version"), list(found.distributions.items())),
    ]
