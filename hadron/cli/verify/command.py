"""`hadron verify`: every stored row against its chain, the chains against what was signed."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hadron.cli import opening, options, output
from hadron.cli.environment import audit_url, settings_of
from hadron.cli.exits import Exit

if TYPE_CHECKING:
    from hadron.settings import Settings

Progress = Callable[[int, int], None]


def _moment(text: str) -> datetime:
    try:
        asked = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r}; wanted a time as 2013-10-07T14:30:00Z") from None
    return asked if asked.tzinfo else asked.replace(tzinfo=UTC)


def verify(
    context: typer.Context,
    since: Annotated[
        datetime | None,
        typer.Option(
            parser=_moment,
            metavar="<time>",
            help="Only rows that were stored since then; chains and anchors are looked at whole.",
            show_default="all",
        ),
    ] = None,
    deep: Annotated[
        bool, typer.Option("--deep", help="Compare with the log too, as far back as it goes.")
    ] = False,
    public_key: Annotated[
        Path | None,
        typer.Option(help="Keys to trust.", show_default="those beside HADRON_ANCHOR_KEY_FILE"),
    ] = None,
    directory: options.Directory = None,
    json: options.Json = False,
) -> None:
    """Find out whether what is stored was changed. Ends with 3 if it was, and says where first.

    Every row is encoded again and compared with the hash that was chained when it was stored,
    every chain with the heads that were signed.
    """
    settings = settings_of(context, directory)
    document = _verified(settings, since, public_key, deep=deep)
    broken = document["broken"]
    rows = [
        (one.topic, one.partition, one.offset, one.table, one.what, one.expected, one.seen)
        for one in broken
    ]
    columns = ("topic", "partition", "offset", "table", "what", "expected", "seen")
    summary = [(name, document[name]) for name in document if name not in ("broken", "notes")]
    told = [output.table("", ("note",), [(note,) for note in document["notes"]])]
    output.show(
        document,
        output.table("", ("", ""), summary),
        *(told if document["notes"] else ()),
        *((output.table("Broken", columns, rows),) if broken else ()),
        as_json=json,
    )
    if broken:
        raise typer.Exit(Exit.CHECK_FAILED)


def _verified(
    settings: Settings, since: datetime | None, public_key: Path | None, *, deep: bool
) -> dict[str, Any]:
    from connectors.timescale.verifying import checking
    from hadron.cli.verify.anchored import judge, signed
    from hadron.wiring import codec_of

    url, anchors = audit_url(settings), signed(settings, public_key)
    began_s = time.monotonic()
    since_ns = int(since.timestamp() * 1e9) if since else 0
    with _shown() as progress:
        found, rows = checking.check(
            url,
            partial(codec_of, settings),
            retired=anchors.retired,
            since_ns=since_ns,
            processes=os.cpu_count() or 1,
            progress=progress,
        )
    seconds = time.monotonic() - began_s
    judge(anchors, found)
    broken = [*found.broken, *anchors.broken]
    records = None
    if deep:
        from connectors.timescale.verifying.deep import Deep

        log = Deep(url, opening.fact_log(settings), codec_of(settings))
        broken += log.check(found)
        records = log.records
    return {
        "whole": not broken,
        "rows": rows,
        "rows_per_s": round(rows / seconds) if rows else 0,
        "rows_gone_with_certificates": found.gone,
        "chains": len(found.ends),
        "entries": len(found.hashes),
        "anchors_in_file": anchors.file,
        "anchors_on_log": anchors.topic,
        "anchored_until": _told(anchors.newest_ns),
        "chained_until": _told(found.newest_ns),
        "records_of_log": records,
        "notes": anchors.notes,
        "broken": sorted(broken),
    }


@contextmanager
def _shown() -> Iterator[Progress]:
    """A bar on a terminal, nothing elsewhere."""
    from rich.console import Console
    from rich.progress import Progress as Bar

    with Bar(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("records")
        yield lambda done, of: bar.update(task, completed=done, total=of)


def _told(at_ns: int) -> str | None:
    if not at_ns:
        return None
    return datetime.fromtimestamp(at_ns // 1_000_000_000, UTC).isoformat()
