"""`hadron rebuild`: make a projection anew from the log."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from hadron.cli import opening, options, output
from hadron.cli.environment import owner_url, settings_of
from hadron.cli.exits import Exit
from hadron.variables import variable

if TYPE_CHECKING:
    from connectors.timescale.rebuilding.rebuild import Rebuilt
    from connectors.timescale.rebuilding.sources import Files
    from hadron.settings import Settings
    from hadron.topics import Topic


def rebuild(
    context: typer.Context,
    redis: Annotated[bool, typer.Option("--redis", help="The hot keys in Redis.")] = False,
    table: Annotated[
        list[str] | None,
        typer.Option(help="Only the topics of this table; may be repeated.", show_default="all"),
    ] = None,
    source: Annotated[
        Path | None, typer.Option("--from", help="Directory of an export, where Kafka has less.")
    ] = None,
    compare: Annotated[
        bool, typer.Option("--compare", help="Only compare; ends with 3 if something differs.")
    ] = False,
    directory: options.Directory = None,
    json: options.Json = False,
) -> None:
    """Make what is folded from the log anew, and show what was wrong in it.

    Without --redis: the tables. Rows are made beside the live ones, compared, and put in where they
    differ, all at once; it needs the rights of `hadron migrate`. Running processes are not
    disturbed.
    """
    settings = settings_of(context, directory)
    if redis:
        _rebuild_redis(settings, json)
        return
    found = _rebuild_tables(settings, table or [], source, compare=compare, as_json=json)
    columns = ("topic", "partition", "first", "past", "end", "live", "rebuilt", "differing")
    rows = [[getattr(one, column) for column in columns] for one in found.partitions]
    changes = [
        (name, one.deleted, one.inserted, one.first, one.last) for name, one in found.tables.items()
    ]
    output.show(
        {
            "same": found.same,
            "partitions": found.partitions,
            "tables": found.tables,
            "rows_gone_with_certificates": found.retired,
        },
        output.table("", columns, rows),
        output.table("changed", ("table", "deleted", "inserted", "first", "last"), changes),
        as_json=json,
    )
    if compare and not found.same:
        raise typer.Exit(Exit.CHECK_FAILED)


def _rebuild_redis(settings: Settings, as_json: bool) -> None:
    from connectors.redis import rebuilding
    from connectors.telemetry.metrics import PrometheusTelemetry
    from hadron.wiring import codec_of

    found = rebuilding.rebuild(settings, codec=codec_of(settings), telemetry=PrometheusTelemetry())
    row = [(name, value) for name, value in msgspec.structs.asdict(found).items()]
    output.show({"redis": found}, output.table("redis", ("what", "count"), row), as_json=as_json)


def _rebuild_tables(
    settings: Settings, tables: Sequence[str], source: Path | None, *, compare: bool, as_json: bool
) -> Rebuilt:
    from connectors.telemetry.metrics import PrometheusTelemetry
    from connectors.timescale.rebuilding.rebuild import Work, only_compare, rebuild
    from connectors.timescale.rebuilding.sources import Kafka, Sources
    from connectors.timescale.rebuilding.swapping import swap
    from connectors.timescale.storage.refresh import refresh_candles
    from hadron.cli.replay.progress import shown
    from hadron.cli.verify.anchored import signed
    from hadron.wiring import codec_of

    url = owner_url(settings)
    anchored = signed(settings, None)
    if not anchored.keys:
        output.say(
            f"no public key is known, set {variable('anchor_key_file')}: rows that went with a"
            " certificate come back from the log"
        )
    kafka = Kafka(opening.connection(settings), opening.admin(settings), settings.num_shards)
    work = Work(
        url=url,
        sources=Sources(kafka, _files(source)),
        topics=_topics(settings, tables),
        codec=codec_of(settings),
        telemetry=PrometheusTelemetry(),
        retired=anchored.retired,
    )
    with shown(as_json=as_json) as show:
        found = rebuild(work, then=only_compare if compare else swap, progress=show)
    if found.retired:
        output.say(f"{found.retired} rows went with a certificate, and stay away")
    if any(one.deleted or one.inserted for one in found.tables.values()):
        refresh_candles(url)
    return found


def _files(source: Path | None) -> Files | None:
    if source is None:
        return None
    from connectors.parquet import extra

    extra.demand()
    from connectors.parquet import manifest
    from connectors.timescale.rebuilding.sources import Files

    return Files(source, manifest.load(source))


def _topics(settings: Settings, tables: Sequence[str]) -> dict[str, Topic]:
    """The stored topics by name, or those of some tables."""
    from connectors.timescale.archiving.process import catalogue
    from connectors.timescale.records import table_of

    stored: dict[str, Any] = catalogue(settings.prefix)
    known = sorted({table_of(topic) for topic in stored.values()})
    if unknown := [table for table in tables if table not in known]:
        raise typer.BadParameter(f"table {unknown[0]!r}; wanted one of {', '.join(known)}")
    return {name: one for name, one in stored.items() if not tables or table_of(one) in tables}
