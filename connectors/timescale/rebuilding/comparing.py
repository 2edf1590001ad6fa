"""Where rebuilt rows differ from live ones: numbers and hashes of rows, stretch by stretch.

A stretch is 8192 offsets of a partition. Each row is hashed whole, with a seed drawn for the run,
so that nobody could have prepared rows that differ and hash alike.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence

from psycopg import sql

from connectors.timescale.connection import Connection
from connectors.timescale.rebuilding.sources import Partition, Span
from connectors.timescale.rebuilding.staging import SCHEMA, Tables

# `past` is where comparing ends: live rows behind it are not written yet, or newer than the span.
# `fresh` partitions the archive has never begun.
_SPANS = """
    CREATE TEMPORARY TABLE spans (
        topic text COLLATE "C", partition int, first bigint, past bigint, whole bigint,
        fresh bool, compacted bool)
"""
_COMPARED = """
    CREATE TEMPORARY TABLE compared (
        name text COLLATE "C", topic text COLLATE "C", partition int, stretch bigint,
        live bigint, rebuilt bigint, same bool)
"""
STRETCH = 8192
_COMPARE = """
    INSERT INTO {schema}.compared
    SELECT {name}, log_topic, log_partition, stretch, coalesce(live.number, 0),
        coalesce(rebuilt.number, 0),
        (live.number, live.hash) IS NOT DISTINCT FROM (rebuilt.number, rebuilt.hash)
    FROM ({live}) AS live
    FULL JOIN ({rebuilt}) AS rebuilt USING (log_topic, log_partition, stretch)
"""
_HASHES = """
    SELECT log_topic, log_partition, log_offset / {stretch} AS stretch, count(*) AS number,
        sum(hash_record_extended(ROW({cells}), {seed})) AS hash
    FROM {table} AS own JOIN {schema}.spans AS span
        ON (span.topic, span.partition) = (own.log_topic, own.log_partition)
    WHERE log_offset >= span.first AND log_offset < span.past {more}
    GROUP BY 1, 2, 3
"""
# Compaction takes records away: rows of those cannot be compared, and stay.
_LEFT = """
    AND (NOT span.compacted OR EXISTS (SELECT FROM {rebuilt} AS other
        WHERE (other.log_topic, other.log_partition, other.log_offset)
            = (own.log_topic, own.log_partition, own.log_offset)))
"""
_COLUMNS = """
    SELECT attname, atttypid = 'json'::regtype FROM pg_attribute
    WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum
"""


def compare(
    connection: Connection,
    tables: Tables,
    spans: Sequence[Span],
    known: Mapping[Partition, int],
    compacted: frozenset[str],
) -> None:
    """Fill `spans` and `compared`. `known` is how far the live tables have each partition."""
    connection.execute(_SPANS)
    connection.execute(_COMPARED)
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
    with connection.cursor() as cursor:
        cursor.executemany(f"INSERT INTO {SCHEMA}.spans VALUES (%s, %s, %s, %s, %s, %s, %s)", rows)
    seed = sql.Literal(secrets.randbits(63))
    connection.execute("SET work_mem = '128MB'")
    for name in tables.audit:
        connection.execute(_statement(connection, tables, name, seed))


def columns(connection: Connection, table: sql.Identifier) -> list[tuple[str, bool]]:
    """The columns of a table in their order, and whether each is of the type json."""
    named = table.as_string(connection)
    return [(name, json) for name, json in connection.execute(_COLUMNS, (named,)).fetchall()]


def _statement(
    connection: Connection, tables: Tables, name: str, seed: sql.Literal
) -> sql.Composed:
    live, rebuilt = sql.Identifier(tables.schema, name), sql.Identifier(SCHEMA, name)
    # No hash is defined for json, whose text is what the record's bytes have.
    cells = sql.SQL(", ").join(
        sql.SQL("{}::text" if json else "{}").format(sql.Identifier("own", column))
        for column, json in columns(connection, live)
    )
    shared = {
        "stretch": sql.Literal(STRETCH),
        "cells": cells,
        "seed": seed,
        "schema": sql.Identifier(SCHEMA),
    }
    left = sql.SQL(_LEFT).format(rebuilt=rebuilt)
    return sql.SQL(_COMPARE).format(
        schema=sql.Identifier(SCHEMA),
        name=sql.Literal(name),
        live=sql.SQL(_HASHES).format(table=live, more=left, **shared),
        rebuilt=sql.SQL(_HASHES).format(table=rebuilt, more=sql.SQL(""), **shared),
    )
