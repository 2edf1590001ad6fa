"""Each earlier state of the schema, with rows in its tables, comes up to the newest whole."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from psycopg import sql
from sqlalchemy import create_engine, pool

from connectors.timescale import schema
from connectors.timescale.inspection import VIEWS
from connectors.timescale.storage import policies
from connectors.timescale.storage.windows import FOR_EVER, LEVELS
from hadron.errors import HadronError
from tests.integration import native
from tests.integration.inserting import rows

CONFIG = Config()
CONFIG.set_main_option("script_location", "connectors:timescale/migrations")
CONFIG.set_main_option("path_separator", "os")
REVISIONS = sorted(one.revision for one in ScriptDirectory.from_config(CONFIG).walk_revisions())
EARLIER = pytest.mark.parametrize("revision", REVISIONS[:-1])

# A cell of each type; what a column must not be without, where the type alone does not tell.
CELLS = {
    "timestamp with time zone": "2023-11-14T22:13:20Z",
    "bytea": b"\1",
    "json": '{"a": 1}',
    "boolean": True,
    "ARRAY": [1],
    "text": "x",
}
SPECIAL = {"kind": "trade", "outcome": "rejected", "price_from": None, "runs": None}
CHAIN = {"last_offset": 1, "first_offset": 1, "leaves": bytes(32)}
Row = dict[str, Any]


def upgraded(url: str, revision: str) -> None:
    """A database as an earlier version of the code left it."""
    with psycopg.connect(url, prepare_threshold=None) as session:
        if session.execute(native.LISTED).fetchone():
            session.execute("CREATE EXTENSION timescaledb")
        session.commit()
        engine = create_engine(
            "postgresql+psycopg://", creator=lambda: session, poolclass=pool.StaticPool
        )
        with engine.begin() as connection:
            CONFIG.attributes["connection"] = connection
            command.upgrade(CONFIG, revision)


def filled(url: str) -> dict[str, list[Row]]:
    """Put two rows into every table that there is, and return them as the database has them."""
    columns: dict[str, Row] = {}
    for table, column, kind in rows(
        url,
        """SELECT table_name, column_name, data_type FROM information_schema.columns
        JOIN information_schema.tables USING (table_schema, table_name)
        WHERE table_schema = 'public' AND table_type = 'BASE TABLE'
            AND table_name <> 'alembic_version'""",
    ):
        special = {**SPECIAL, **(CHAIN if table == "audit_chain" else {})}
        cell = special[column] if column in special else CELLS.get(kind, 1)
        columns.setdefault(table, {})[column] = cell
    with psycopg.connect(url, autocommit=True, prepare_threshold=None) as connection:
        for table, cells in columns.items():
            for n in (1, 2):
                distinct = {"log_offset": n, "partition": n, "at": moment(n), "at_ns": n}
                insert(
                    connection,
                    table,
                    {**cells, **{k: distinct[k] for k in distinct & cells.keys()}},
                )
    return {table: stored(url, table, list(cells)) for table, cells in columns.items()}


def moment(n: int) -> str:
    """In two chunks of any table."""
    return f"2023-11-{n * 13:02}T00:00:00Z"


def insert(connection: psycopg.Connection[Any], table: str, row: Row) -> None:
    connection.execute(
        sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
            sql.Identifier(table),
            sql.SQL(", ").join(map(sql.Identifier, row)),
            sql.SQL(", ").join(sql.Placeholder() * len(row)),
        ),
        list(row.values()),
    )


def stored(url: str, table: str, columns: list[str]) -> list[Row]:
    found = rows(url, f"SELECT {', '.join(columns)} FROM {table}")
    return sorted((dict(zip(columns, row, strict=True)) for row in found), key=str)


def assert_comes_up_whole(url: str, revision: str) -> None:
    upgraded(url, revision)
    before = filled(url)
    assert {"ticks"} <= set(before)

    assert schema.migrate(url) == schema.head()

    for table, cells in before.items():
        assert stored(url, table, list(cells[0])) == cells, table
    for view in VIEWS:
        rows(url, f"SELECT * FROM {view}")
    for name in (f"{kind}_{one.interval}" for kind in ("candles", "prices") for one in LEVELS):
        assert rows(url, f"SELECT instrument, open, trades FROM {name}") == [("x", 1, 1)] * 2


@EARLIER
def test_plain_postgresql_comes_up_from_every_earlier_state(database: str, revision: str) -> None:
    assert_comes_up_whole(database, revision)


@EARLIER
def test_timescaledb_comes_up_from_every_earlier_state(
    new_timescaledb: native.New, revision: str
) -> None:
    with new_timescaledb() as url:
        assert_comes_up_whole(url, revision)
        with psycopg.connect(url, autocommit=True, prepare_threshold=None) as connection:
            assert policies.found(connection) == policies.wanted(FOR_EVER)


def test_candles_are_not_dropped_where_they_cannot_be_made_again(
    new_timescaledb: native.New,
) -> None:
    with new_timescaledb() as url:
        upgraded(url, "0006")
        filled(url)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CALL refresh_continuous_aggregate('candles_1m', NULL, NULL)")
        rows(url, "SELECT drop_chunks('ticks', TIMESTAMPTZ '2023-11-20')")

        with pytest.raises(HadronError, match=r"2023-11-13 .* whose ticks were dropped"):
            schema.migrate(url)

        assert schema.current(url) == "0006"
        assert rows(url, "SELECT count(*) FROM candles_1m") == [(2,)]
