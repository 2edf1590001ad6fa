"""`hadron archive`: the log in Parquet files, for many years and for the day after a disaster."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hadron.cli import opening, options, output
from hadron.cli.environment import settings_of
from hadron.cli.exits import Exit
from hadron.errors import ContractError, HadronError

if TYPE_CHECKING:
    from connectors.parquet.manifest import Contract, Manifest
    from hadron.settings import Settings

app = typer.Typer(help="The log in Parquet files: out, checked, and back.", no_args_is_help=True)


def _moment(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r}; wanted a time as 2013-10-07T14:30:00Z") from None
    whole = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return round(whole.timestamp() * 1000)


@app.command("export")
def export_(
    context: typer.Context,
    to: Annotated[Path, typer.Option(help="Directory of the files; made if it is missing.")],
    topic: Annotated[
        list[str] | None,
        typer.Option(help="Only this topic; may be repeated.", show_default="all of the catalogue"),
    ] = None,
    since: Annotated[
        int | None,
        typer.Option(parser=_moment, metavar="<time>", help="Leave out what Kafka stamped before."),
    ] = None,
    until: Annotated[
        int | None,
        typer.Option(parser=_moment, metavar="<time>", help="Stop at what Kafka stamped then."),
    ] = None,
    directory: options.Directory = None,
    json: options.Json = False,
) -> None:
    """Write topics to Parquet, one file per partition and UTC day, and the chains of stored rows.

    Goes on where the last run stopped; finished days are never written again. Times without a zone
    are UTC. Chains come from HADRON_DATABASE_AUDIT; without a database there are none.
    """
    from connectors.parquet import extra

    extra.demand()
    from connectors.parquet.export import export
    from connectors.parquet.spans import Source, Window
    from hadron.cli import restoring
    from hadron.cli.replay.progress import shown

    settings = settings_of(context, directory)
    # First the chains: none of them ends behind the log that is exported with them.
    entries = restoring.exported(settings, to)
    source = Source(opening.connection(settings), opening.admin(settings), _contracts(settings))
    with shown(as_json=json) as show:
        manifest = export(
            source,
            to,
            topic or [one.name for one in opening.declared(settings)],
            window=Window(since, until),
            progress=show,
        )
    _show(manifest, to, entries, json)


@app.command()
def check(
    context: typer.Context,
    directory: Annotated[Path, typer.Argument(help="Directory of an export.")],
    json: options.Json = False,
) -> None:
    """Check every file and record of an export by its manifest. Ends with 3 if one is wrong."""
    from connectors.parquet import extra

    extra.demand()
    from connectors.parquet.checking import check as checked
    from hadron.cli.replay.progress import shown

    with shown(as_json=json) as show:
        manifest, findings = checked(directory, show)
    rows = [(one.path, one.problem) for one in findings]
    records = sum(day.records for day in manifest.files)
    whole = f"whole: {records:,} records in {len(manifest.files)} files"
    document = {
        "manifest_sha256": _digest(directory),
        "files": len(manifest.files),
        "records": records,
        "findings": findings,
    }
    result = output.table("", ("file", "problem"), rows) if findings else whole
    output.show(document, result, as_json=json)
    if findings:
        raise typer.Exit(Exit.CHECK_FAILED)


@app.command("import")
def import_(
    context: typer.Context,
    source: Annotated[Path, typer.Option("--from", help="Directory of an export.")],
    directory: options.Directory = None,
    json: options.Json = False,
) -> None:
    """Put an export into an empty cluster: same partitions, offsets, times and bytes.

    Ends with 3 if a record that was read back differs. Kafka deletes nothing of it by age until
    `hadron topics apply`.
    """
    from connectors.parquet import extra

    extra.demand()
    from connectors.parquet.checking import check as checked
    from connectors.parquet.restorable import Target
    from connectors.parquet.restore import restore
    from hadron.cli.replay.progress import shown

    settings = settings_of(context, directory)
    with shown(as_json=json) as show:
        manifest, findings = checked(source, show)
        if findings:
            worst = f"{findings[0].path} {findings[0].problem}"
            raise HadronError(f"{source} is not whole, and is not imported: {worst}")
        target = Target(
            opening.connection(settings),
            opening.admin(settings),
            {topic.name: topic for topic in opening.declared(settings)},
            settings.num_shards,
            settings.replication,
        )
        found = restore(target, source, manifest, show)
    columns = ("topic", "partition", "start", "end", "records", "filled", "differences")
    rows = [[getattr(one, column) for column in columns] for one in found]
    output.show(found, output.table("", columns, rows), as_json=json)
    if any(one.differences for one in found):
        raise typer.Exit(Exit.CHECK_FAILED)


@app.command()
def chains(
    context: typer.Context,
    source: Annotated[Path, typer.Option("--from", help="Directory of an export.")],
    directory: options.Directory = None,
    json: options.Json = False,
) -> None:
    """Put the chains of an export into a new database, before the archive or a rebuild fills it.

    So what is restored is compared with what was signed before the disaster. Needs all anchors that
    survived; what they have and the export has not is given up with a signature, and certified
    where rows cannot come back. Uses HADRON_DATABASE.
    """
    from connectors.parquet import extra

    extra.demand()
    from hadron.cli import restoring

    found = restoring.restored(settings_of(context, directory), source)
    columns = ("topic", "partition", "number", "last")
    rows = [[getattr(one, column) for column in columns] for one in found.chains]
    notes = [(line,) for line in found.notes]
    output.show(
        found,
        output.table("chains up to", columns, rows),
        *([output.table("", ("note",), notes)] if notes else []),
        as_json=json,
    )


def _show(manifest: Manifest, directory: Path, entries: int | None, as_json: bool) -> None:
    topics = [
        {
            "topic": name,
            "files": sum(day.topic == name for day in manifest.files),
            "records": manifest.records(name),
            "partitions": exported.partitions,
        }
        for name, exported in manifest.topics.items()
    ]
    document = {
        "manifest_sha256": _digest(directory),
        "clusters": manifest.clusters,
        "topics": topics,
        "chain_entries_added": entries,
    }
    columns = ("topic", "files", "records")
    rows = [[topic[column] for column in columns] for topic in topics]
    output.show(document, output.table("", columns, rows), as_json=as_json)


def _digest(directory: Path) -> str:
    from connectors.parquet import manifest

    return manifest.digest(directory / manifest.NAME)


def _contracts(settings: Settings) -> Callable[[int], Contract | None]:
    """What a schema id on the log stands for; None for one that nobody knows."""
    import schemas
    from connectors.parquet.manifest import Contract
    from connectors.registry import known

    if settings.registry is None:
        catalogue = {
            one.id: Contract(one.name, one.fingerprint, one.schema) for one in schemas.catalogue()
        }
        return catalogue.get
    look_up = known(settings.registry, {name: schemas.load(name) for name in schemas.names()})

    def contract(id: int) -> Contract | None:
        try:
            version = look_up(id)
        except ContractError:
            return None
        schema = dict(version.schema)
        return Contract(version.name, schemas.fingerprint(schema), schema)

    return contract
