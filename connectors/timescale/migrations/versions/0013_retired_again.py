"""Rows that a rebuild brought back go again by the certificate that they have.

TimescaleDB gives the chunk that they come back to another name; its span of time is the same.
"""

from __future__ import annotations

from importlib import import_module

from alembic import op
from sqlalchemy import text

revision = "0013"
down_revision = "0012"

_BEFORE = import_module("connectors.timescale.migrations.versions.0010_rows_retired")
_CHANGES = {
    "CREATE FUNCTION": "CREATE OR REPLACE FUNCTION",
    "    span record;\n": "    span record;\n    begin_ns bigint;\n    end_ns bigint;\n",
    "        within := format(": """\
        begin_ns := (extract(epoch FROM span.range_start) * 1000000)::bigint * 1000;
        end_ns := (extract(epoch FROM span.range_end) * 1000000)::bigint * 1000;
        within := format(""",
    "AND chunk = of_chunk AND": """\
AND (chunk = of_chunk OR from_ns = begin_ns AND until_ns = end_ns)
            AND""",
}


def upgrade() -> None:
    path = op.get_bind().execute(text(_BEFORE.PATH)).scalar()
    op.execute(function().format(path=path))


def function() -> str:
    """The function of 0010, but that a certificate is known by its span, too."""
    found: str = _BEFORE.FUNCTION
    for before, after in _CHANGES.items():
        found = found.replace(before, after)
    return found
