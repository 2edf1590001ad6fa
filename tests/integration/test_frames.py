"""Answers as columns are those that come one by one, with the types that the page promises."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import polars
import pyarrow
import pytest

from connectors.timescale.querying import frames, queries, questions
from connectors.timescale.querying.questions import Question
from hadron.archive import Archive
from hadron.errors import ContractError
from tests.integration import story
from tests.support import a_decision, a_position

FROM, TO = datetime(2023, 11, 14, tzinfo=UTC), datetime(2023, 11, 15, tzinfo=UTC)
ASKED: dict[str, Callable[[], Question[Any]]] = {
    "candles": lambda: questions.candles("eq:AAPL", every="1m", start=FROM, end=TO),
    "decisions": lambda: questions.decisions(strategy="sma"),
    "orders": questions.orders,
    "positions": questions.positions,
    "slippage": questions.slippage,
    "gaps": questions.gaps,
    "lag": lambda: questions.lag(start=FROM, end=TO),
}


@pytest.fixture
def url(database: str) -> str:
    story.store(database, story.facts())
    return database


def plain(value: Any) -> Any:
    return json.dumps(value, separators=(",", ":")) if isinstance(value, dict) else value


@pytest.mark.parametrize("name", ASKED)
def test_columns_have_what_the_rows_have(url: str, name: str) -> None:
    rows = queries.answers(url, ASKED[name]())

    columns = frames.table(url, ASKED[name]())

    assert columns.schema == frames.schema(ASKED[name]().kind)
    assert columns.num_rows == len(rows) > 0
    for field in columns.column_names:
        expected = [plain(getattr(row, field)) for row in rows]
        assert columns.column(field).to_pylist() == expected, field


def test_no_answer_is_a_table_without_rows(url: str) -> None:
    table = frames.table(url, questions.decisions(strategy="none"))

    assert table.num_rows == 0
    assert table.schema == frames.schema(questions.decisions().kind)


def test_texts_of_any_kind_come_through(database: str) -> None:
    odd = a_decision(strategy='a,"b"\nc', portfolio="", evidence={"é": '"\n,'}, limit_price=None)
    story.store(database, {"decisions": (odd,)})

    [row] = frames.table(database, questions.decisions()).to_pylist()

    assert (row["strategy"], row["portfolio"]) == ('a,"b"\nc', "")
    assert (json.loads(row["evidence"]), row["outcome"]) == ({"é": '"\n,'}, None)


def test_numbers_are_exact_and_times_utc(url: str) -> None:
    table = Archive(url).slippage()

    assert table.schema.field("price").type == pyarrow.decimal128(38, 18)
    assert table.schema.field("at").type == pyarrow.timestamp("us", "UTC")
    assert table.column("slippage").to_pylist() == [Decimal("-0.01"), Decimal("0.04")]


def test_a_number_that_does_not_fit_is_an_error_and_not_rounded(database: str) -> None:
    fine = a_position("1", mark=Decimal("1E-18"))
    too_fine = a_position("1", mark=Decimal("1E-19"))
    story.store(database, {"positions": (fine, too_fine)})

    assert frames.table(database, questions.positions(before={0: 1})).num_rows == 1
    with pytest.raises(ContractError, match="does not fit"):
        frames.table(database, questions.positions())


def test_polars_has_the_same(url: str) -> None:
    table = Archive(url).orders(limit=None)

    frame = Archive.polars(table)

    assert frame.height == table.num_rows == 5
    assert frame.schema["price"] == polars.Decimal(38, 18)
    assert frame["price"].drop_nulls().to_list() == [Decimal(100), Decimal("100.05")]
