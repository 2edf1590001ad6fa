"""What is past its age: whole chunks, or without chunks the oldest rows of each partition."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import NamedTuple

from psycopg import sql

from connectors.timescale.connection import Connection
from connectors.timescale.layout import time_of
from connectors.timescale.verifying import chains
from hadron.audit.retirement import MOST_ROWS

Place = tuple[str, int]


class Rows(NamedTuple):
    """Rows of one partition within a unit, by their first and last offset."""

    topic: str
    partition: int
    first: int
    last: int


class Unit(NamedTuple):
    """What goes at once, or not at all. `chunk` is empty where only rows go.

    Times are nanoseconds since the epoch, [from, until): of the chunk, or of the rows.
    """

    table: str
    chunk: str
    from_ns: int
    until_ns: int
    rows: tuple[Rows, ...]

    @property
    def within(self) -> sql.Composed:
        """What the rows of a chunk have in common."""
        if not self.chunk:
            return sql.SQL("true").format()
        times = (sql.Literal(time_of(ns)) for ns in (self.from_ns, self.until_ns))
        return sql.SQL("at >= {} AND at < {}").format(*times)


# The first offset of each chain that is too young; None: none is.
_LIMITS = """
    SELECT topic, partition,
        coalesce(min(first_offset) FILTER (WHERE chained_at_ns > %s), max(last_offset) + 1)
    FROM audit_chain GROUP BY 1, 2
"""
_NOW = "SELECT (extract(epoch FROM now() - %s::interval) * 1000000000)::bigint"
_CHUNKS = """
    SELECT format('%%I.%%I', chunk_schema, chunk_name),
        (extract(epoch FROM range_start) * 1000000)::bigint * 1000,
        (extract(epoch FROM range_end) * 1000000)::bigint * 1000
    FROM timescaledb_information.chunks
    WHERE hypertable_schema = current_schema() AND hypertable_name = %s
        -- One that a rebuild made is younger than its rows, one of a venue's wrong clock ends late:
        -- it is their chain that says how old they are.
        AND least(chunk_creation_time, range_end) <= now() - %s::interval
    ORDER BY range_start
"""
_HYPERTABLE = """
    SELECT FROM timescaledb_information.hypertables
    WHERE hypertable_schema = current_schema() AND hypertable_name = %s
"""
_EXTENDED = "SELECT to_regclass('timescaledb_information.hypertables') IS NOT NULL"
_WITHIN = sql.SQL("""
    SELECT log_topic, log_partition, min(log_offset), max(log_offset) FROM {} WHERE {}
    GROUP BY 1, 2 ORDER BY 1, 2
""")
_ENTRIES = """
    SELECT last_offset, sum(records) OVER (ORDER BY number) FROM audit_chain
    WHERE topic = %s AND partition = %s AND last_offset >= %s AND last_offset < %s ORDER BY number
"""
_ENDS = sql.SQL("""
    SELECT min(log_offset), max(log_offset),
        (extract(epoch FROM min(at)) * 1000000)::bigint * 1000,
        (extract(epoch FROM max(at)) * 1000000 + 1)::bigint * 1000
    FROM {} WHERE log_topic = %s AND log_partition = %s::int
        AND log_offset >= %s::bigint AND log_offset <= %s::bigint
""")


def units(connection: Connection, table: str, age: timedelta) -> Iterator[Unit]:
    """All of a table that was stored so long ago: each row of it, as its chain says."""
    [(cut_ns,)] = connection.execute(_NOW, (age,)).fetchall()
    rows = connection.execute(_LIMITS, (cut_ns,)).fetchall()
    limits = {(topic, partition): limit for topic, partition, limit in rows}
    if _is_hypertable(connection, table):
        yield from _chunks(connection, table, age, limits)
    else:
        yield from _oldest(connection, table, limits)


def _is_hypertable(connection: Connection, table: str) -> bool:
    [(extended,)] = connection.execute(_EXTENDED).fetchall()
    return extended and connection.execute(_HYPERTABLE, (table,)).fetchone() is not None


def _chunks(
    connection: Connection, table: str, age: timedelta, limits: Mapping[Place, int]
) -> Iterator[Unit]:
    for chunk, begin, end in connection.execute(_CHUNKS, (table, age)).fetchall():
        unit = Unit(table, chunk, begin, end, ())
        asked = _WITHIN.format(sql.Identifier(table), unit.within)
        rows = tuple(Rows(*row) for row in connection.execute(asked).fetchall())
        if rows and all(one.last < limits.get((one.topic, one.partition), 0) for one in rows):
            yield unit._replace(rows=rows)


def _oldest(connection: Connection, table: str, limits: Mapping[Place, int]) -> Iterator[Unit]:
    for place in chains.places(connection, table):
        first, limit = chains.lowest(connection, table, place), limits.get(place, 0)
        begun, last = 0, -1
        for end, records in connection.execute(_ENTRIES, (*place, first, limit)).fetchall():
            if records - begun > MOST_ROWS and last >= first:
                yield from _span(connection, table, place, first, last)
                begun, first = records, last + 1
            last = end
        if last >= first:
            yield from _span(connection, table, place, first, last)


def _span(
    connection: Connection, table: str, place: Place, first: int, last: int
) -> Iterator[Unit]:
    asked = _ENDS.format(sql.Identifier(table))
    [(low, high, begin, end)] = connection.execute(asked, (*place, first, last)).fetchall()
    if low is not None:
        yield Unit(table, "", begin, end, (Rows(*place, low, high),))
