"""Puts rebuilt rows in the place of those that differ: all in one transaction, or none.

The archive goes on meanwhile. It only appends behind what is compared, so that neither waits for
the other; where it has never begun, the ledger and the chain come with the rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import msgspec
from psycopg import sql

from connectors.timescale.connection import Connection
from connectors.timescale.rebuilding.comparing import STRETCH, columns
from connectors.timescale.rebuilding.staging import SCHEMA, Tables
from hadron.errors import HadronError

_DIFFERING = f"SELECT name, sum(live) FROM {SCHEMA}.compared WHERE NOT same GROUP BY name"
_WITHIN = """
    FROM {schema}.compared AS other JOIN {schema}.spans AS span USING (topic, partition)
    WHERE other.name = {name} AND NOT other.same
        AND (other.topic, other.partition) = (own.log_topic, own.log_partition)
        AND own.log_offset >= greatest(other.stretch * {stretch}, span.first)
        AND own.log_offset < least((other.stretch + 1) * {stretch}, span.past)
"""
_LEFT = """
    AND (NOT span.compacted OR EXISTS (SELECT FROM {rebuilt} AS there
        WHERE (there.log_topic, there.log_partition, there.log_offset)
            = (own.log_topic, own.log_partition, own.log_offset)))
"""
_DELETE = """
    WITH gone AS (DELETE FROM {live} AS own WHERE EXISTS (SELECT {within} {left}) RETURNING at)
    SELECT count(*), min(at), max(at) FROM gone
"""
_INSERT = """
    WITH new AS (
        INSERT INTO {live} ({names}) SELECT {names} FROM {rebuilt} AS own
        WHERE EXISTS (SELECT {within}) RETURNING at
    )
    SELECT count(*), min(at), max(at) FROM new
"""
# TimescaleDB's own stay: by one of them it learns that candles are to be made again.
_TRIGGERS = """
    SELECT tgname, pg_get_triggerdef(own.oid), tgenabled = 'A'
    FROM pg_trigger AS own JOIN pg_proc AS function ON function.oid = tgfoid
    WHERE tgrelid = %s::regclass AND NOT tgisinternal
        AND pronamespace::regnamespace::text NOT LIKE '\\_timescaledb%%'
"""
_BEGIN = f"""
    INSERT INTO {{}}.consumer_offsets (topic, partition, next_offset)
    SELECT topic, partition, whole FROM {SCHEMA}.spans WHERE fresh ON CONFLICT DO NOTHING
"""
_CHAIN = f"""
    INSERT INTO {{}}.audit_chain SELECT own.* FROM {SCHEMA}.audit_chain AS own
    JOIN {SCHEMA}.spans USING (topic, partition) WHERE fresh
"""
BEGUN = (
    "an archive has begun with partitions that were new when the rebuild began; nothing was"
    " changed, run it again"
)


class Swapped(msgspec.Struct, frozen=True):
    """What became of one table; times are those of the rows that went or came."""

    deleted: int = 0
    inserted: int = 0
    first: datetime | None = None
    last: datetime | None = None


def swap(connection: Connection, tables: Tables) -> dict[str, Swapped]:
    """Make the live tables what the log says. Raise HadronError if the archive began meanwhile."""
    with connection.transaction():
        connection.execute("SET LOCAL timezone = 'UTC'")
        connection.execute("SET LOCAL timescaledb.max_tuples_decompressed_per_dml_transaction = 0")
        _begin(connection, tables)
        differing = connection.execute(_DIFFERING).fetchall()
        return {name: _swapped(connection, tables, name, live > 0) for name, live in differing}


def _begin(connection: Connection, tables: Tables) -> None:
    schema = sql.Identifier(tables.schema)
    wanted = connection.execute(f"SELECT count(*) FROM {SCHEMA}.spans WHERE fresh").fetchall()
    begun = connection.execute(sql.SQL(_BEGIN).format(schema)).rowcount
    if begun != wanted[0][0]:
        raise HadronError(BEGUN)
    connection.execute(sql.SQL(_CHAIN).format(schema))


def _swapped(connection: Connection, tables: Tables, name: str, remove: bool) -> Swapped:
    live, rebuilt = sql.Identifier(tables.schema, name), sql.Identifier(SCHEMA, name)
    within = sql.SQL(_WITHIN).format(
        schema=sql.Identifier(SCHEMA), name=sql.Literal(name), stretch=sql.Literal(STRETCH)
    )
    names = sql.SQL(", ").join(sql.Identifier(one) for one, _ in columns(connection, live))
    parts = {"live": live, "rebuilt": rebuilt, "within": within, "names": names}
    gone: tuple[Any, ...] = (0, None, None)
    if remove:
        left = sql.SQL(_LEFT).format(rebuilt=rebuilt)
        with _unbelted(connection, live):
            [gone] = connection.execute(sql.SQL(_DELETE).format(left=left, **parts)).fetchall()
    [new] = connection.execute(sql.SQL(_INSERT).format(**parts)).fetchall()
    times = [time for time in (*gone[1:], *new[1:]) if time is not None]
    return Swapped(gone[0], new[0], min(times, default=None), max(times, default=None))


@contextmanager
def _unbelted(connection: Connection, table: sql.Identifier) -> Iterator[None]:
    """Without the triggers that refuse changes; only the owner can, and nobody else sees it.

    They are made again, not switched off: TimescaleDB refuses that for compressed tables.
    """
    triggers = connection.execute(_TRIGGERS, (table.as_string(connection),)).fetchall()
    for name, _, _ in triggers:
        drop = sql.SQL("DROP TRIGGER {} ON {}").format(sql.Identifier(name), table)
        connection.execute(drop)
    yield
    for name, definition, always in triggers:
        connection.execute(definition)
        if always:
            enable = sql.SQL("ALTER TABLE {} ENABLE ALWAYS TRIGGER {}")
            connection.execute(enable.format(table, sql.Identifier(name)))
