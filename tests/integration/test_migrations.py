"""The schema comes up from nothing, once, and has a column for every field of every fact."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from connectors.timescale import schema
from connectors.timescale.inspection import VIEWS
from connectors.timescale.tables import LAYOUTS
from connectors.timescale.tables import TABLES as FACTS
from hadron.errors import TransientError

TABLES = {*FACTS, "consumer_offsets", "audit_chain", "rows_retired", "alembic_version"}


def columns(url: str, table: str) -> dict[str, str]:
    query = """
        SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute
        WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped
    """
    with psycopg.connect(url) as connection:
        return dict(connection.execute(query, (table,)).fetchall())


def test_an_empty_database_gets_all_tables_and_candles(database: str) -> None:
    assert schema.current(database) is None

    said: list[str] = []
    revision = schema.migrate(database, said.append)

    assert revision == schema.head() == schema.current(database)
    with psycopg.connect(database) as connection:
        found = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        assert {name for (name,) in found} == TABLES
        for view in VIEWS:
            assert connection.execute(f"SELECT * FROM {view}").fetchall() == []
    assert "TimescaleDB" in said[0]
    assert said[1] == f"schema empty -> {revision}"


def test_a_second_migration_changes_nothing(database: str) -> None:
    schema.migrate(database)
    said: list[str] = []

    schema.migrate(database, said.append)

    assert said[1] == f"schema {schema.head()}"


def test_two_migrations_at_once_wait_for_each_other(database: str) -> None:
    with ThreadPoolExecutor(2) as pool:
        revisions = list(pool.map(schema.migrate, [database, database]))

    assert revisions == [schema.head()] * 2


def test_every_cell_of_every_fact_has_its_column(database: str) -> None:
    schema.migrate(database)

    for table in FACTS:
        cells = {name for one in LAYOUTS.values() if one.table == table for name in one.names}
        assert set(columns(database, table)) == cells


@pytest.mark.parametrize(
    ("table", "prices"),
    [
        ("ticks", {"price", "size", "bid", "ask", "bid_size", "ask_size"}),
        ("strategy_decisions", {"quantity", "limit_price", "bid", "ask", "last"}),
        ("order_intents", {"quantity", "limit_price", "bid", "ask", "last"}),
        ("order_executions", {"quantity", "price"}),
        ("price_marks", {"bid", "ask", "last"}),
    ],
)
def test_prices_are_numeric_20_8_and_times_have_a_zone(
    database: str, table: str, prices: set[str]
) -> None:
    schema.migrate(database)

    found = columns(database, table)

    assert {name for name, kind in found.items() if kind == "numeric(20,8)"} == prices
    assert found["at"] == "timestamp with time zone"


def test_a_database_that_does_not_answer_is_a_transient_error() -> None:
    with pytest.raises(TransientError, match="database"):
        schema.migrate("postgresql://127.0.0.1:1/none?connect_timeout=2")
