"""`hadron storage`: how much is stored, and whether the database's own jobs do their work."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import typer

from hadron.cli import options, output
from hadron.cli.environment import database_url, owner_url, settings_of
from hadron.cli.exits import Exit

if TYPE_CHECKING:
    from connectors.timescale.storage.status import Storage

app = typer.Typer(help="Look after what the archive has stored.", no_args_is_help=True)


@app.command()
def status(
    context: typer.Context, directory: options.Directory = None, json: options.Json = False
) -> None:
    """Show sizes, compression, ages, jobs and candles that are behind. Ends with 3 on a problem.

    Rows are an estimate, and sizes count indexes. A problem is a job that failed, a policy that is
    not as the settings say, or candles that are not made again by themselves.
    """
    from connectors.timescale.storage.status import inspect
    from connectors.timescale.storage.windows import keep_of

    settings = settings_of(context, directory)
    found = inspect(database_url(settings), keep_of(settings))
    output.show(found, *_tables(found), as_json=json)
    if found.problems:
        raise typer.Exit(Exit.CHECK_FAILED)


@app.command()
def refresh(
    context: typer.Context, directory: options.Directory = None, json: options.Json = False
) -> None:
    """Make candles again where ticks came late, as after a replay, a backfill or an import.

    Exactly the touched windows, the smallest candles first, all buckets that are over. Waits for
    a refresh that is under way, up to five minutes.
    """
    from connectors.timescale.storage.refresh import refresh_candles

    done = refresh_candles(owner_url(settings_of(context, directory)))
    rows = [(name, *map(_moment, window)) for name, windows in done.items() for window in windows]
    nothing = "nothing to make again" if done else "candles are views here, and never behind"
    shown = output.table("", ("candles", "from", "to"), rows) if rows else nothing
    output.show(done, shown, as_json=json)


@app.command()
def retire(
    context: typer.Context, directory: options.Directory = None, json: options.Json = False
) -> None:
    """Let rows past their age go, with a signed certificate of what went. Ends with 3 on a problem.

    Ages are HADRON_KEEP_RAW_DAYS and its like. Rows are verified, certified on the topic `anchors`,
    in HADRON_ANCHOR_FILE and in the database, and only then dropped; what is broken stays. It needs
    HADRON_ANCHOR_KEY_FILE, and HADRON_DATABASE_MIGRATE of a role that may become the owner.
    """
    from hadron.cli.retiring import retired

    found = retired(settings_of(context, directory))
    gone = [
        (one.table, one.chunk, f"{one.topic}/{one.partition}", one.first, one.last, one.rows)
        for one in found.gone
    ]
    broken = [(one.topic, one.partition, one.offset, one.table, one.what) for one in found.broken]
    columns = ("table", "chunk", "partition", "first", "last", "rows")
    shown: list[Any] = [output.table("gone", columns, gone)] if gone else ["nothing went"]
    if broken:
        names = ("topic", "partition", "offset", "table", "what")
        shown.append(output.table("Broken, and not dropped", names, broken))
    if found.waiting:
        shown.append(output.table("", ("not yet",), [(line,) for line in found.waiting]))
    output.show(found, *shown, as_json=json)
    if found.broken:
        raise typer.Exit(Exit.CHECK_FAILED)


def _tables(found: Storage) -> list[Any]:
    stored = [
        (one.name, _count(one.rows), _size(one.size), one.chunks, one.compressed,
         one.ratio and f"{one.ratio:.1f}x", _span(one.compress_after), _span(one.drop_after))
        for one in found.tables
    ]  # fmt: skip
    candles = [
        (one.name, _moment(one.made_until), one.behind and _moment(one.behind.start),
         _span(one.refresh_from) or "any age", _span(one.settled), _span(one.each))
        for one in found.candles
    ]  # fmt: skip
    jobs = [
        (one.number, one.what, one.on, _span(one.each), _moment(one.last_run), one.last_status,
         one.failures, one.last_error, _moment(one.next_run))
        for one in found.jobs
    ]  # fmt: skip
    plain = found.timescaledb is None
    columns = ("rows", "size") if plain else _STORED
    name = f"PostgreSQL {found.server}" + ("" if plain else f", TimescaleDB {found.timescaledb}")
    made = [output.table(name, ("table", *columns), [row[: len(columns) + 1] for row in stored])]
    if candles:
        made.append(output.table("", ("candles", *_CANDLES), candles))
    if jobs:
        made.append(output.table("", ("job", *_JOBS), jobs))
    for kind, lines in (("note", found.notes), ("problem", found.problems)):
        if lines:
            made.append(output.table("", (kind,), [(line,) for line in lines]))
    return made


_STORED = ("rows", "size", "chunks", "compressed", "ratio", "compressed after", "dropped after")
_CANDLES = ("made until", "behind since", "made again from", "once settled", "each")
_JOBS = ("what", "on", "each", "last run", "ended", "failures", "last error", "next run")
_UNITS = ((timedelta(days=1), "d"), (timedelta(hours=1), "h"), (timedelta(minutes=1), "min"))


def _count(number: int | None) -> str | None:
    return None if number is None else f"{number:,}"


def _size(size: int) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if size < 10_000:
            return f"{size:,} {unit}"
        size //= 1024
    return f"{size:,} TB"


def _span(span: timedelta | None) -> str | None:
    if span is None:
        return None
    whole = ((unit, name) for unit, name in _UNITS if not span % unit)
    unit, name = next(whole, (timedelta(seconds=1), "s"))
    return f"{span // unit} {name}"


def _moment(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(" ", "seconds").removesuffix("+00:00")
