"""Rows that went with a certificate: the log may have them still, the tables are not to again.

Only certificates that a trusted key signed count, that fit the chain, and of whose rows none is
there: where some are, they were not let go with it, and what is missing is damage.
"""

from __future__ import annotations

from collections.abc import Iterable

from psycopg import sql

from connectors.timescale.connection import Connection
from connectors.timescale.rebuilding.staging import SCHEMA, Tables
from connectors.timescale.verifying import chains
from hadron.audit.facts import RowsRetired

_GONE = """
    CREATE TEMPORARY TABLE gone (
        certificate int, name text COLLATE "C", topic text COLLATE "C", partition int,
        first bigint, past bigint)
"""
_WITHIN = """
    gone.name = {name} AND (gone.topic, gone.partition) = (own.log_topic, own.log_partition)
    AND own.log_offset >= gone.first AND own.log_offset < gone.past
"""
_THERE = f"""
    DELETE FROM {SCHEMA}.gone WHERE certificate IN (
        SELECT certificate FROM {SCHEMA}.gone WHERE name = {{name}}
            AND EXISTS (SELECT FROM {{live}} AS own WHERE {_WITHIN}))
"""
_LEAVE_OUT = f"DELETE FROM {{rebuilt}} AS own USING {SCHEMA}.gone WHERE {_WITHIN}"


def tell(connection: Connection, retired: Iterable[RowsRetired]) -> None:
    """Make `gone` of the certificates that fit the chains of the live schema."""
    with connection.transaction():
        fitting = chains.fitting(connection, retired)
        connection.execute(_GONE)
        rows = [
            (number, one.table, one.topic, one.partition, first, first + count)
            for number, one in enumerate(fitting)
            for first, count in zip(one.runs[::2], one.runs[1::2], strict=True)
        ]
        with connection.cursor() as cursor:
            insert = f"INSERT INTO {SCHEMA}.gone VALUES (%s, %s, %s, %s, %s, %s)"
            cursor.executemany(insert, rows)


def leave_out(connection: Connection, tables: Tables) -> int:
    """Take what is gone out of the rebuilt rows, and return how many those were."""
    left = 0
    for name in tables.audit:
        parts = {
            "name": sql.Literal(name),
            "live": sql.Identifier(tables.schema, name),
            "rebuilt": sql.Identifier(SCHEMA, name),
        }
        connection.execute(sql.SQL(_THERE).format(**parts))
        left += connection.execute(sql.SQL(_LEAVE_OUT).format(**parts)).rowcount
    return left
