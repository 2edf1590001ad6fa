"""Certificates into their table, and the rows that they name out of theirs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from connectors.timescale.connection import Connection
from connectors.timescale.retiring.due import Unit
from hadron.audit.facts import HeadsAnchored, RowsRetired

_KEEP = """
    INSERT INTO rows_retired (table_name, chunk, topic, partition, first_offset, last_offset,
        records, offset_runs, from_ns, until_ns, root, first_entry, last_entry, entry_hash, why,
        anchored_at_ns, signature)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT DO NOTHING
"""
_DROP = "SELECT drop_retired(%s, %s, %s)"
_PATIENCE = "SELECT set_config('lock_timeout', %s, true)"


def keep(connection: Connection, signed: Iterable[tuple[RowsRetired, HeadsAnchored]]) -> None:
    """Write certificates to the database; those that it has stay."""
    with connection.transaction(), connection.cursor() as cursor:
        cursor.executemany(_KEEP, [_row(*one) for one in signed])


def drop(
    connection: Connection, unit: Unit, retired: Sequence[RowsRetired], *, patience_s: float
) -> int:
    """Drop the rows of a unit and return how many; the database has their certificates.

    Nothing goes if rows have come or gone since they were certified, or if the table is not free
    within `patience_s` seconds.
    """
    with connection.transaction():
        connection.execute(_PATIENCE, (f"{round(patience_s * 1000)}ms",))
        roots = [one.root for one in retired]
        [(rows,)] = connection.execute(_DROP, (unit.table, unit.chunk, roots)).fetchall()
    return int(rows)


def _row(one: RowsRetired, anchor: HeadsAnchored) -> tuple[Any, ...]:
    return (
        *(one.table, one.chunk, one.topic, one.partition, one.first, one.last),
        *(one.rows, one.runs, one.from_ns, one.until_ns, one.root),
        *(one.first_entry, one.last_entry, one.entry_hash, one.why),
        *(anchor.at_ns, anchor.signature),
    )
