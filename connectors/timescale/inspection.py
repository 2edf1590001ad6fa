"""What a database is like right now, for those who check it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import LiteralString

import msgspec
import psycopg

from connectors.timescale import schema, tables
from connectors.timescale.errors import our_errors
from connectors.timescale.storage.windows import LEVELS

# What the archive writes, and what questions are asked of.
TABLES: tuple[str, ...] = (*tables.TABLES, "consumer_offsets", "audit_chain")
VIEWS = (
    *(f"{kind}_{level.interval}" for kind in ("candles", "prices") for level in LEVELS),
    *("intents_with_ends", "decisions_with_ends", "orders_with_fills", "order_slippage"),
    *("instruments_ticked", "tick_gaps", "alerts_with_ends"),
)

_MISSING = "SELECT name FROM unnest(%s::text[]) AS name WHERE to_regclass(name) IS NULL"
_REFUSED = """
    SELECT name FROM unnest(%s::text[]) AS name
    WHERE to_regclass(name) IS NOT NULL AND NOT has_table_privilege(name, 'INSERT')
"""
_CLOCK = "SELECT (extract(epoch FROM clock_timestamp()) * 1e9)::bigint"
_HIDDEN = "SELECT NOT has_table_privilege('alembic_version', 'SELECT')"
_REVISION = "SELECT version_num FROM alembic_version"
_EXTENSION = "SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'"
_LICENCE = "SELECT current_setting('timescaledb.license', true)"


class Database(msgspec.Struct, frozen=True):
    """The server, its extension and the schema, as this role sees them."""

    server: str
    role: str
    timescaledb: str | None
    licence: str | None
    revision: str | None  # None: never migrated
    hidden: bool  # the role may not read the revision
    missing: Sequence[str]  # tables and views
    refused: Sequence[str]  # tables that the role may not insert into
    clock_ns: int


def inspect(url: str) -> Database:
    """Raise TransientError if the database does not answer within 5 seconds."""
    with our_errors(), psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
        migrated = not _names(connection, _MISSING, ["alembic_version"])
        hidden = migrated and _value(connection, _HIDDEN) == "True"
        return Database(
            server=_value(connection, "SHOW server_version") or "",
            role=_value(connection, "SELECT current_user") or "",
            timescaledb=_value(connection, _EXTENSION),
            licence=_value(connection, _LICENCE),
            revision=_value(connection, _REVISION) if migrated and not hidden else None,
            hidden=hidden,
            missing=_names(connection, _MISSING, (*TABLES, *VIEWS)),
            refused=_names(connection, _REFUSED, TABLES),
            clock_ns=int(_value(connection, _CLOCK) or 0),
        )


def wanted_revision() -> str:
    """The revision that this code needs."""
    return schema.head()


def _names(
    connection: psycopg.Connection, query: LiteralString, wanted: Sequence[str]
) -> list[str]:
    return [str(row[0]) for row in connection.execute(query, [list(wanted)])]


def _value(connection: psycopg.Connection, query: LiteralString) -> str | None:
    row = connection.execute(query).fetchone()
    return None if row is None or row[0] is None else str(row[0])
