"""The commands `hadron record` and `hadron diff`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from hadron.cli import opening, options, output
from hadron.cli.environment import settings_of
from hadron.cli.exits import Exit
from hadron.errors import SettingsError
from hadron.variables import variable

if TYPE_CHECKING:
    from rich.console import RenderableType

    from hadron.audit.divergence import Change
    from hadron.cli.diff.comparing import Divergence, Outcome, Report
    from hadron.settings import Settings

LIVE = "live"


def record(
    context: typer.Context,
    run: Annotated[
        str,
        typer.Argument(metavar="RUN", help="Its name, new each time.", show_default=False),
    ],
    drop: Annotated[
        bool, typer.Option("--drop", help="Delete the run of that name from Kafka, and end.")
    ] = False,
    directory: options.Directory = None,
    json: options.Json = False,
) -> None:
    """Step what live's engine stepped, with the code that is here, and keep what came of it.

    Decisions and hashes of states go to replay.RUN.*, for `hadron diff`. No live topic is written.
    """
    from connectors.kafka import admin as administration
    from hadron.cli.diff import recording
    from hadron.wiring import codec_of

    _checked(run)
    if run == LIVE:
        raise typer.BadParameter(f"RUN: {run!r} is the run that is stepped; wanted another name")
    settings = _live_settings(settings_of(context, directory))
    admin = opening.admin(settings)
    if drop:
        gone = [topic.name for topic in recording.topics_of(run)]
        administration.delete(admin, gone)
        output.show({"run": run, "dropped": gone}, f"{run} is gone", as_json=json)
        return
    topics = recording.made(run, admin, settings)
    try:
        log, codec = opening.fact_log(settings), codec_of(settings)
        done = recording.record(run, settings, log=log, codec=codec)
    except BaseException:
        administration.delete(admin, topics)  # half of a run would pass for the whole
        raise
    done.topics = topics
    line = (
        f"{run}: {done.entries:,} entries, {done.decisions:,} decisions, {done.hashes:,} hashes of"
        " the state"
    )
    output.show(done, line, as_json=json)


def diff(
    context: typer.Context,
    left: Annotated[
        str,
        typer.Argument(metavar="RUN", help="live, or what was recorded.", show_default=False),
    ],
    right: Annotated[str, typer.Argument(metavar="RUN", help="The other one.", show_default=False)],
    directory: options.Directory = None,
    json: options.Json = False,
) -> None:
    """Find the first entry of the journal that two runs took differently, and why.

    Ends with 3 if there is one: tells the event, the state that it met, what each run made of it,
    and what differs in the code. A run is live, or one that `hadron record` made.
    """
    from connectors.kafka.inspection import inspect
    from hadron.cli.diff.comparing import Comparing
    from hadron.cli.diff.recording import topics_of
    from hadron.cli.diff.runs import Run
    from hadron.wiring import codec_of

    settings = _live_settings(settings_of(context, directory))
    present = inspect(opening.admin(settings)).topics
    for name in (left, right):
        _checked(name)
        missing = [topic.name for topic in topics_of(name) if topic.name not in present]
        if name != LIVE and missing:
            wanted = f"wanted {LIVE}, or a run that `hadron record` made"
            raise SettingsError([f"RUN: {name!r} has no topic {missing[0]}; {wanted}"])
    log, codec = opening.fact_log(settings), codec_of(settings)
    shared: dict[str, Any] = {"log": log, "codec": codec, "partitions": settings.num_shards}
    found = Comparing(Run(left, **shared), Run(right, **shared), **shared).report()
    output.show(found, *_tables(found), as_json=json)
    raise typer.Exit(Exit.OK if found.same else Exit.CHECK_FAILED)


def _checked(run: str) -> None:
    # It becomes part of the names of topics, which dots separate.
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", run):
        wanted = "1 to 64 letters, digits, hyphens, underscores"
        raise typer.BadParameter(f"RUN: {run!r}; wanted {wanted}")


def _live_settings(settings: Settings) -> Settings:
    if settings.prefix:
        seen = f"{variable('prefix')}: {settings.prefix!r}"
        raise SettingsError([f"{seen}; wanted nothing, as runs are over the live journal"])
    return settings


def _tables(found: Report) -> Iterator[RenderableType]:
    from rich.text import Text

    columns = ("shard", "hashes", "compared", "equal for", "different by")
    rows = [(s.partition, s.hashes, s.compared, s.equal, s.differs) for s in found.shards]
    yield output.table(f"{found.left} and {found.right}, in entries of the journal", columns, rows)
    yield from (Text(f"note: {note}") for note in found.notes)
    if found.same:
        yield Text("the same")
    elif found.first is None:
        yield Text("DIFFERENT")
    else:
        yield from _told(found.first)
        yield _changes("Code", found.code, found)


def _told(first: Divergence) -> Iterator[RenderableType]:
    from rich.text import Text

    event = first.event
    where = f"{event.topic}/{event.partition}/{event.offset}"
    yield Text(f"DIFFERENT, first at shard {first.partition}, entry {first.entry}: {where}")
    yield Text(f"event:  {event.kind} {_json(event.fact)}")
    yield Text(f"before: {_json(first.before)}")
    for outcome in (first.left, first.right):
        yield Text(f"{outcome.run}: {_said(outcome)}")
    rows = [(change.what, change.left, change.right) for change in first.changes]
    yield output.table("", ("what", first.left.run, first.right.run), rows)


def _said(outcome: Outcome) -> str:
    return "; ".join(f"{type(one).__name__} {_json(one)}" for one in outcome.outputs) or "nothing"


def _changes(title: str, changes: list[Change], found: Report) -> RenderableType:
    rows = [(change.what, change.left, change.right) for change in changes]
    return output.table(title, ("what", found.left, found.right), rows)


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
