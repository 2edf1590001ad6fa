"""Answers of the archive as Arrow tables: whole columns, by COPY, without an object a row."""

from __future__ import annotations

import typing
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from io import BytesIO
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from connectors.timescale.errors import our_errors
from connectors.timescale.querying.questions import Question
from hadron.errors import ContractError, HadronError

if TYPE_CHECKING:
    import pyarrow

# Twenty digits before the point, 18 after: what NUMERIC(20,8) has, and what money is counted in.
PRECISION, SCALE = 38, 18


def table(url: str, question: Question[Any]) -> pyarrow.Table:
    """The answers as columns, of the types of `schema`.

    Raise ContractError for a number that does not fit, HadronError where pyarrow is not installed.
    """
    with _arrow(), our_errors(), psycopg.connect(url) as connection:
        from pyarrow import csv

        wanted = schema(question.kind)
        statement = sql.SQL("COPY ({}) TO STDOUT (FORMAT CSV)").format(question.statement)
        text = BytesIO()
        with connection.cursor().copy(statement, question.parameters) as copy:
            for block in copy:
                text.write(block)
        if not text.tell():
            return wanted.empty_table()
        text.seek(0)
        return csv.read_csv(
            text,
            read_options=csv.ReadOptions(column_names=wanted.names),
            parse_options=csv.ParseOptions(newlines_in_values=True),
            convert_options=csv.ConvertOptions(
                column_types=wanted,
                # Without quotes it is NULL, with them it is the text of no letters.
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
                true_values=["t"],
                false_values=["f"],
            ),
        )


def schema(kind: type[Any]) -> pyarrow.Schema:
    """Times are UTC to the microsecond, exact numbers decimal128(38, 18), mappings JSON texts."""
    import pyarrow

    types = {
        bool: pyarrow.bool_(),
        int: pyarrow.int64(),
        str: pyarrow.string(),
        datetime: pyarrow.timestamp("us", "UTC"),
        Decimal: pyarrow.decimal128(PRECISION, SCALE),
    }
    hints = typing.get_type_hints(kind)
    fields = []
    for name in kind.__struct_fields__:
        alternatives = typing.get_args(hints[name])
        plain = next((one for one in types if one is hints[name] or one in alternatives), str)
        is_text = typing.get_origin(hints[name]) is dict
        fields.append(pyarrow.field(name, pyarrow.string() if is_text else types[plain]))
    return pyarrow.schema(fields)


@contextmanager
def _arrow() -> Iterator[None]:
    """Turn pyarrow's errors into ours, and its absence."""
    try:
        import pyarrow
    except ImportError as error:
        raise HadronError("pyarrow is not installed; install hadron-platform[arrow]") from error
    try:
        yield
    except pyarrow.ArrowException as error:
        raise ContractError(f"an answer does not fit its column: {error}") from error
