"""Fills live tables that hold nothing of what is asked: as the archive would, all or nothing.

There is nothing to compare with and nothing to take away, so the rows go where they belong at once.
An archive that begins meanwhile waits for the ledger, and goes on behind.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from psycopg import sql

from connectors.timescale.archiving.store import OffsetsMoved
from connectors.timescale.connection import Connection
from connectors.timescale.rebuilding.comparing import STRETCH
from connectors.timescale.rebuilding.sources import Partition, Span
from connectors.timescale.rebuilding.staging import SCHEMA, Tables
from connectors.timescale.rebuilding.swapping import BEGUN, Swapped
from hadron.errors import HadronError

_ANY = "SELECT EXISTS (SELECT FROM {} WHERE log_topic = ANY(%s))"
_COUNTED = """
    SELECT log_topic, log_partition, log_offset / %s, count(*), min(at), max(at)
    FROM {} WHERE log_topic = ANY(%s) GROUP BY 1, 2, 3
"""
_COMPARED = f"INSERT INTO {SCHEMA}.compared VALUES (%s, %s, %s, %s, 0, %s, false)"


def holds_nothing(
    connection: Connection, tables: Tables, spans: Sequence[Span], known: Mapping[Partition, int]
) -> bool:
    """Whether neither ledger, chain nor any table knows a record of these topics."""
    asked = _topics(spans)
    found = (
        connection.execute(sql.SQL(_ANY).format(_live(tables, name)), (asked,)).fetchone()
        for name in tables.audit
    )
    return not known and all(row == (False,) for row in found)


def fill(
    connection: Connection, tables: Tables, spans: Sequence[Span], write: Callable[[], None]
) -> dict[str, Swapped]:
    """Let `write` fill the live tables in one transaction, and fill `compared`.

    Raise HadronError if the archive began meanwhile.
    """
    with connection.transaction():
        connection.execute("SET LOCAL timezone = 'UTC'")
        try:
            write()
        except OffsetsMoved as moved:
            raise HadronError(BEGUN) from moved
        filled = {name: _counted(connection, tables, name, spans) for name in tables.audit}
    return {name: one for name, one in filled.items() if one.inserted}


def _counted(connection: Connection, tables: Tables, name: str, spans: Sequence[Span]) -> Swapped:
    query = sql.SQL(_COUNTED).format(_live(tables, name))
    rows = connection.execute(query, (STRETCH, _topics(spans))).fetchall()
    with connection.cursor() as cursor:
        cursor.executemany(_COMPARED, [(name, *row[:4]) for row in rows])
    return Swapped(
        inserted=sum(row[3] for row in rows),
        first=min((row[4] for row in rows), default=None),
        last=max((row[5] for row in rows), default=None),
    )


def _live(tables: Tables, name: str) -> sql.Identifier:
    return sql.Identifier(tables.schema, name)


def _topics(spans: Sequence[Span]) -> list[str]:
    return sorted({span.topic for span in spans})
