"""Rows into their tables by COPY: straight, or past those that are there already."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from psycopg import sql

from connectors.timescale.binary import HEAD, TAIL
from connectors.timescale.connection import Connection
from connectors.timescale.layout import Layout

# From the catalogue, because LIKE asks for SELECT on the table, and the archive may only insert.
_COLUMNS = """
    SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute
    WHERE attrelid = %s::regclass AND attname = ANY(%s)
"""


def straight(connection: Connection, layout: Layout, rows: Sequence[Any]) -> int:
    """Write rows and return their number. Raise UniqueViolation if one is there already."""
    _copy(connection, sql.Identifier(layout.table), layout, rows)
    return len(rows)


def missing(connection: Connection, layout: Layout, rows: Sequence[Any]) -> int:
    """Write the rows that are not there yet and return their number.

    They go through a temporary table of this session: COPY itself knows no ON CONFLICT.
    """
    staged = staging(connection, layout)
    _copy(connection, staged, layout, rows)
    return unstage(connection, layout, staged)


def staging(connection: Connection, layout: Layout) -> sql.Identifier:
    """The temporary table for rows of a layout, made if need be and empty after each commit."""
    name = f"staged_{layout.name}"
    staged = sql.Identifier("pg_temp", name)
    if connection.execute("SELECT to_regclass(%s)", (f"pg_temp.{name}",)).fetchone() == (None,):
        columns = connection.execute(_COLUMNS, (layout.table, list(layout.names))).fetchall()
        cells = sql.SQL(", ").join(
            sql.SQL("{} {}").format(sql.Identifier(column), sql.SQL(kind))
            for column, kind in columns
        )
        make = sql.SQL("CREATE TEMPORARY TABLE {} ({}) ON COMMIT DELETE ROWS")
        connection.execute(make.format(staged, cells))
    return staged


def unstage(connection: Connection, layout: Layout, staged: sql.Identifier) -> int:
    """Write the staged rows that are not there yet and return their number."""
    # No conflict is named: that would need SELECT, too.
    insert = sql.SQL("INSERT INTO {} ({names}) SELECT {names} FROM {} ON CONFLICT DO NOTHING")
    names = sql.SQL(", ").join(map(sql.Identifier, layout.names))
    into = sql.Identifier(layout.table)
    return connection.execute(insert.format(into, staged, names=names)).rowcount


def _copy(
    connection: Connection, into: sql.Identifier, layout: Layout, rows: Sequence[Any]
) -> None:
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(
        into, sql.SQL(", ").join(map(sql.Identifier, layout.names))
    )
    with connection.cursor().copy(statement) as copy:
        if not layout.types:
            copy.write(b"".join((HEAD, *rows, TAIL)))
            return
        copy.set_types(layout.types)
        for row in rows:
            copy.write_row(row)
