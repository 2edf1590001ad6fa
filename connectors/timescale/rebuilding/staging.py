"""The tables beside the live ones: temporary, of the same names, filled as the archive would."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import msgspec
from psycopg import sql

from connectors.timescale.archiving.batch import Batch
from connectors.timescale.archiving.intake import Intake
from connectors.timescale.archiving.interpreter import for_many_rows
from connectors.timescale.archiving.store import Store
from connectors.timescale.connection import Connection
from connectors.timescale.rebuilding.sources import Sources, Span
from hadron.errors import HadronError
from hadron.ports import Codec, Telemetry
from hadron.topics import Topic

# Tells a partition, how many of its offsets are done, and how many there are.
Progress = Callable[[str, int, int], None]

SCHEMA = "pg_temp"
_ROWS = 20_000  # of one transaction

_LIVE = """
    SELECT current_schema(), tableowner, current_user, pg_has_role(tableowner, 'MEMBER')
    FROM pg_tables WHERE schemaname = current_schema() AND tablename = 'consumer_offsets'
"""
_TABLES = """
    SELECT relname, (
        SELECT count(*) FROM pg_attribute WHERE attrelid = pg_class.oid
            AND attname IN ('log_topic', 'log_partition', 'log_offset')
    ) = 3
    FROM pg_class
    WHERE relnamespace = %s::regnamespace AND relkind IN ('r', 'p')
        AND relname <> 'alembic_version'
    ORDER BY relname
"""


class Tables(msgspec.Struct, frozen=True):
    """What the live schema has."""

    schema: str
    names: tuple[str, ...]
    audit: tuple[str, ...]  # with a place on the log in every row


def live(connection: Connection) -> Tables:
    """Become the owner of the live tables. Raise HadronError where this role may not."""
    found = connection.execute(_LIVE).fetchall()
    if not found:
        raise HadronError("database: has no tables; run `hadron migrate`")
    [(schema, owner, user, member)] = found
    if not member:
        raise HadronError(
            f"database: role {user} may not change tables, which belong to {owner}; wanted a role"
            " that may become it, as `hadron migrate` needs"
        )
    connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(owner)))
    rows = connection.execute(_TABLES, (schema,)).fetchall()
    audit = tuple(name for name, placed in rows if placed)
    return Tables(schema, tuple(name for name, _ in rows), audit)


def make(connection: Connection, tables: Tables) -> None:
    """Make temporary tables of the same names: of this session, and gone with it.

    From now on a name without a schema is never a live table.
    """
    for name in tables.names:
        # Filled once and read once: no index.
        like = "DEFAULTS INCLUDING CONSTRAINTS" if name in tables.audit else "ALL"
        connection.execute(
            sql.SQL("CREATE TEMPORARY TABLE {} (LIKE {} INCLUDING {})").format(
                sql.Identifier(name), sql.Identifier(tables.schema, name), sql.SQL(like)
            )
        )
    connection.execute(f"SET search_path = {SCHEMA}")


def fill(
    connection: Connection,
    sources: Sources,
    spans: Sequence[Span],
    *,
    stored: Mapping[str, Topic],
    codec: Codec,
    telemetry: Telemetry,
    progress: Progress,
) -> None:
    """Write every record of the spans. Raise what the archive raises."""
    store = Store(_session(connection), codec, new=[span.place for span in spans])
    store.begin({span.place: span.first for span in spans})
    intake = Intake(stored, codec=codec, telemetry=telemetry)
    job: Future[Any] | None = None
    # While the database takes a batch, the next is read.
    with for_many_rows(), ThreadPoolExecutor(1, "rebuild-writer") as worker:
        for batch in _batches(sources, spans, intake, progress):
            if job is not None:
                job.result()
            job = worker.submit(store.write, batch)
    if job is not None:
        job.result()


def _batches(
    sources: Sources, spans: Sequence[Span], intake: Intake, progress: Progress
) -> Iterator[Batch]:
    batch = Batch()
    positions = {span.place: span.first for span in spans}
    for span in spans:
        for messages in sources.messages(span):
            intake.take(messages, batch, positions)
            if batch.size >= _ROWS:
                yield _closed(batch, positions)
                batch = Batch()
                done = positions[span.place] - span.first
                progress(f"{span.topic}/{span.partition}", done, span.past - span.first)
        progress(f"{span.topic}/{span.partition}", span.past - span.first, span.past - span.first)
    if batch.size:
        yield _closed(batch, positions)


def _closed(batch: Batch, positions: Mapping[tuple[str, int], int]) -> Batch:
    batch.next = {place: positions[place] for place in batch.expected}
    return batch


def _session(connection: Connection) -> Any:
    """A pool of one connection that never makes another: its tables would not be there."""
    return SimpleNamespace(timeout=0.0, connection=lambda timeout: nullcontext(connection))
