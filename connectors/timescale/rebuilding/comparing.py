"""Where rebuilt rows differ from live ones: numbers and hashes of rows, stretch by stretch.

A stretch is 8192 offsets of a partition. Each row is hashed whole, with a seed drawn for the run,
so that nobody could have prepared rows that differ and hash alike.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, NamedTuple

import psycopg
from psycopg import sql

from connectors.timescale.connection import Connection
from connectors.timescale.rebuilding import staging
from connectors.timescale.rebuilding.sources import Partition, Span
from connectors.timescale.rebuilding.staging import SCHEMA, Tables

# `past` is where comparing ends: live rows behind it are not written yet, or newer than the span.
# `fresh` partitions the archive has never begun.
_SPANS = """
    CREATE TEMPORARY TABLE spans (
        topic text COLLATE "C", partition int, first bigint, past bigint, whole bigint,
        fresh bool, compacted bool)
"""
_HASHED = """
    CREATE TEMPORARY TABLE hashed (
        live bool, name text COLLATE "C", topic text COLLATE "C", partition int, stretch bigint,
        number bigint, hash numeric)
"""
_COMPARED = """
    CREATE TEMPORARY TABLE compared (
        name text COLLATE "C", topic text COLLATE "C", partition int, stretch bigint,
        live bigint, rebuilt bigint, same bool)
"""
STRETCH = 8192
_COMPARE = f"""
    INSERT INTO {SCHEMA}.compared
    SELECT name, topic, partition, stretch, coalesce(live.number, 0), coalesce(rebuilt.number, 0),
        (live.number, live.hash) IS NOT DISTINCT FROM (rebuilt.number, rebuilt.hash)
    FROM (SELECT * FROM {SCHEMA}.hashed WHERE live) AS live
    FULL JOIN (SELECT * FROM {SCHEMA}.hashed WHERE NOT live) AS rebuilt
        USING (name, topic, partition, stretch)
"""
_HASHES = """
    SELECT {live}, {name}, log_topic, log_partition, log_offset / {stretch}, count(*),
        sum(hash_record_extended(ROW({cells}), {seed}))
    FROM {table} AS own JOIN {schema}.spans AS span
        ON (span.topic, span.partition) = (own.log_topic, own.log_partition)
    WHERE log_offset >= span.first AND log_offset < span.past {more}
    GROUP BY 3, 4, 5
"""
# Compaction takes records away: rows of those cannot be compared, and stay.
_LEFT = """
    AND (span.compacted AND EXISTS (SELECT FROM {rebuilt} AS other
        WHERE (other.log_topic, other.log_partition, other.log_offset)
            = (own.log_topic, own.log_partition, own.log_offset)))
"""
_COLUMNS = """
    SELECT attname, atttypid = 'json'::regtype FROM pg_attribute
    WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum
"""


class Bounds(NamedTuple):
    """What is compared, and the seed of its hashes."""

    rows: list[tuple[Any, ...]]  # of `spans`
    seed: int


def bounds(
    spans: Sequence[Span], known: Mapping[Partition, int], compacted: frozenset[str]
) -> Bounds:
    """`known` is how far the live tables have each partition."""
    rows = [
        (
            *span.place,
            span.first,
            min(span.past, known.get(span.place, span.past)),
            span.past,
            span.place not in known,
            span.topic in compacted,
        )
        for span in spans
    ]
    return Bounds(rows, secrets.randbits(63))


@contextmanager
def hashing_live(url: str, asked: Bounds) -> Iterator[Future[list[tuple[Any, ...]]]]:
    """Hash the live rows in a session of their own while the others are made.

    The archive does not touch them, and rows of compacted topics are left to `compare`.
    """
    with (
        psycopg.connect(url, autocommit=True) as connection,
        ThreadPoolExecutor(1, "rebuild-hashes") as worker,
    ):
        hashed = worker.submit(_hash_live, connection, asked)
        try:
            yield hashed
        finally:
            if not hashed.done():
                connection.cancel_safe()


def tell(connection: Connection, asked: Bounds) -> None:
    """Make `spans`, `hashed` and `compared` in a session."""
    for statement in (_SPANS, _HASHED, _COMPARED):
        connection.execute(statement)
    with connection.cursor() as cursor:
        insert = f"INSERT INTO {SCHEMA}.spans VALUES (%s, %s, %s, %s, %s, %s, %s)"
        cursor.executemany(insert, asked.rows)
    # The planner would guess a thousand spans of each topic.
    connection.execute(f"ANALYZE {SCHEMA}.spans")
    connection.execute("SET work_mem = '128MB'")


def of_live(connection: Connection, tables: Tables, asked: Bounds) -> list[tuple[Any, ...]]:
    """Hashes of the live rows in a session that was told; not of compacted topics."""
    found: list[tuple[Any, ...]] = []
    for name in tables.audit:
        there = sql.Identifier(tables.schema, name)
        more = sql.SQL("AND NOT span.compacted")
        query = _hashes(connection, there, name, asked, live=True, more=more)
        found += connection.execute(query).fetchall()
    return found


def compare(
    connection: Connection, tables: Tables, asked: Bounds, live: Sequence[tuple[Any, ...]]
) -> None:
    """Fill `compared` in the session that has the rebuilt rows; `live` are the others' hashes."""
    insert = sql.SQL("INSERT INTO {}.hashed {}")
    own = sql.Identifier(SCHEMA)
    with connection.cursor() as cursor:
        values = sql.SQL("VALUES (%s, %s, %s, %s, %s, %s, %s)")
        cursor.executemany(insert.format(own, values), live)
    for name in tables.audit:
        there, rebuilt = sql.Identifier(tables.schema, name), sql.Identifier(SCHEMA, name)
        left = sql.SQL(_LEFT).format(rebuilt=rebuilt)
        ours = _hashes(connection, rebuilt, name, asked, live=False, more=sql.SQL(""))
        theirs = _hashes(connection, there, name, asked, live=True, more=left)
        connection.execute(insert.format(own, ours))
        connection.execute(insert.format(own, theirs))
    connection.execute(_COMPARE)


def columns(connection: Connection, table: sql.Identifier) -> list[tuple[str, bool]]:
    """The columns of a table in their order, and whether each is of the type json."""
    named = table.as_string(connection)
    return [(name, json) for name, json in connection.execute(_COLUMNS, (named,)).fetchall()]


def _hash_live(connection: Connection, asked: Bounds) -> list[tuple[Any, ...]]:
    tables = staging.live(connection)
    tell(connection, asked)
    return of_live(connection, tables, asked)


def _hashes(
    connection: Connection,
    table: sql.Identifier,
    name: str,
    asked: Bounds,
    *,
    live: bool,
    more: sql.Composable,
) -> sql.Composed:
    # No hash is defined for json, whose text is what the record's bytes have.
    cells = sql.SQL(", ").join(
        sql.SQL("{}::text" if json else "{}").format(sql.Identifier("own", column))
        for column, json in columns(connection, table)
    )
    return sql.SQL(_HASHES).format(
        live=sql.Literal(live),
        name=sql.Literal(name),
        table=table,
        stretch=sql.Literal(STRETCH),
        cells=cells,
        seed=sql.Literal(asked.seed),
        schema=sql.Identifier(SCHEMA),
        more=more,
    )
