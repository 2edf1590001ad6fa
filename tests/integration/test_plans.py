"""No question that is asked in its usual way reads a whole table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from connectors.local.stack import Endpoints
from connectors.timescale.querying import questions
from connectors.timescale.querying.explanation import Explainer
from connectors.timescale.querying.lineage import Lineage
from connectors.timescale.querying.questions import Question
from connectors.timescale.schema import timescale_version
from hadron.audit.ids import read
from tests.integration import bulk
from tests.integration.access import an_empty_database
from tests.integration.inserting import rows
from tests.support import codec

START = datetime.fromtimestamp(1_700_000_000, UTC)
LATER = START + timedelta(seconds=20)
BIG = set(bulk.TABLES)
# With the limits that the command line has where none is given.
ASKED: dict[str, Callable[[], Question[Any]]] = {
    "candles": lambda: questions.candles(
        "eq:S7", every="1m", start=START, end=START + timedelta(seconds=5), limit=100
    ),
    "decisions": lambda: questions.decisions(limit=20),
    "decisions of a strategy": lambda: questions.decisions(
        strategy="s1", start=START, end=LATER, limit=20
    ),
    "decisions of an instrument": lambda: questions.decisions(instrument="eq:S7", limit=20),
    "decisions of a portfolio": lambda: questions.decisions(portfolio="main", limit=20),
    "orders": lambda: questions.orders(limit=20),
    "orders of a strategy": lambda: questions.orders(
        strategy="s1", start=START, end=LATER, limit=20
    ),
    "orders of an instrument": lambda: questions.orders(instrument="eq:S7", limit=20),
    "positions": lambda: questions.positions(limit=1000),
    "positions of a time": lambda: questions.positions(moment=LATER, strategy="s1", limit=1000),
    "positions of offsets": lambda: questions.positions(before={0: 500, 1: 500}, limit=1000),
    "exposure": lambda: questions.exposure(limit=1000),
    "slippage": lambda: questions.slippage(limit=20),
    "slippage of a strategy": lambda: questions.slippage(strategy="s1", limit=20),
    "alerts": lambda: questions.alerts(limit=20),
    "gaps": lambda: questions.gaps(limit=20),
    "gaps of an instrument": lambda: questions.gaps(instrument="eq:S7", start=START, limit=20),
    "lag": lambda: questions.lag(start=START, end=START + timedelta(seconds=2), limit=1000),
    "lag of an instrument": lambda: questions.lag(
        start=START, end=LATER, instrument="eq:S7", limit=1000
    ),
}


@pytest.fixture(scope="module")
def url(stack: Endpoints) -> Iterator[str]:
    with an_empty_database(stack.database) as url:
        bulk.fill(url, ticks=200_000, every=10)
        yield url


def plan(url: str, statement: Any, parameters: Any) -> dict[str, Any]:
    with psycopg.connect(url, cursor_factory=psycopg.ClientCursor) as connection:
        text = psycopg.ClientCursor(connection).mogrify(statement, parameters)
        [(found,)] = connection.execute(f"EXPLAIN (FORMAT JSON) {text}".encode()).fetchall()
    root: dict[str, Any] = found[0]["Plan"]
    return root


def nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", ()):
        yield from nodes(child)


def whole_reads(url: str, statement: Any, parameters: Any) -> list[str]:
    """The big tables that are read from end to end, and the functions whose plan is hidden."""
    table_of = {table: table for table in BIG} | chunks(url)
    found = []
    for node in nodes(plan(url, statement, parameters)):
        name = node.get("Relation Name") or node.get("Function Name")
        if node["Node Type"] == "Function Scan":
            found.append(f"Function Scan {name}")
        elif node["Node Type"] == "Seq Scan" and name in table_of:
            found.append(f"Seq Scan {table_of[name]}")
    return found


def chunks(url: str) -> dict[str, str]:
    """The tables of the chunks that TimescaleDB keeps the big tables in, each of which is whole."""
    if timescale_version(url) is None:
        return {}
    query = """SELECT chunk_name, hypertable_name FROM timescaledb_information.chunks
        WHERE hypertable_schema = 'public'"""
    return {chunk: table for chunk, table in rows(url, query) if table in BIG}


@pytest.mark.parametrize("name", ASKED)
def test_no_question_reads_a_whole_table(url: str, name: str) -> None:
    asked = ASKED[name]()

    assert whole_reads(url, asked.statement, asked.parameters) == []


@pytest.mark.parametrize("instrument", [None, "eq:S7"])
def test_the_newest_tick_is_found_by_index(url: str, instrument: str | None) -> None:
    assert whole_reads(url, *questions.newest_tick(instrument)) == []


def test_which_instruments_there_are_is_read_from_a_row_or_two_of_each(url: str) -> None:
    explained = "EXPLAIN (ANALYZE, FORMAT JSON) SELECT * FROM instruments_ticked"
    with psycopg.connect(url) as connection:
        [(found,)] = connection.execute(explained).fetchall()
    read_rows = [
        node["Actual Rows"] * node["Actual Loops"]
        for node in nodes(found[0]["Plan"])
        if "Relation Name" in node
    ]
    chunked = max(1, len(chunks(url)))

    assert sum(read_rows) <= 3 * chunked * (bulk.INSTRUMENTS + 1)


ORDER = ("h-intents-0-77", "intents/0/77", "decisions/0/77/0", "decisions/0/77", "orders/0/77")


@pytest.mark.parametrize("asked", [*ORDER, "ticks.warm/0/50", "raw.massive/0/5", "positions/0/77"])
def test_no_step_of_an_explanation_reads_a_whole_table(url: str, asked: str) -> None:
    executed: list[tuple[Any, Any]] = []

    class Noting(psycopg.Cursor[dict[str, Any]]):
        def execute(self, query: Any, params: Any = None, **more: Any) -> Noting:
            executed.append((query, params))
            return super().execute(query, params, **more)

    with psycopg.connect(url, row_factory=dict_row, cursor_factory=Noting) as connection:
        story = Explainer(Lineage(connection, codec(), lambda: None), codec()).explain(read(asked))

    assert story.found == "archive"
    assert len(executed) >= 2
    for query, parameters in executed:
        assert whole_reads(url, query, parameters) == []


def test_a_question_without_an_index_would_be_noticed(url: str) -> None:
    unindexed = "SELECT * FROM order_executions WHERE venue = 'none'"

    assert whole_reads(url, unindexed, {}) == ["Seq Scan order_executions"]
