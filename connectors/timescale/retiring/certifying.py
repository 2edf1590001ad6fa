"""Rows that are to go, read once more against their chain, and their certificates."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from psycopg import sql

from connectors.timescale.connection import Connection
from connectors.timescale.retiring.due import Rows, Unit
from connectors.timescale.verifying import chains
from connectors.timescale.verifying.chains import SECTION, Section
from connectors.timescale.verifying.checking import Checked
from hadron.audit.facts import RowsRetired
from hadron.audit.retirement import Going, certify
from hadron.audit.verification import Broken

Check = Callable[[Section], Checked]

_ENTRIES = """
    SELECT number, first_offset, last_offset, records FROM audit_chain
    WHERE topic = %s AND partition = %s AND last_offset >= %s AND first_offset <= %s
    ORDER BY number
"""
_OFFSETS = sql.SQL("""
    SELECT log_offset FROM {} WHERE log_topic = %s AND log_partition = %s::int
        AND log_offset >= %s::bigint AND log_offset <= %s::bigint AND {}
    ORDER BY log_offset
""")


def certified(
    connection: Connection, unit: Unit, check: Check
) -> tuple[list[RowsRetired], list[Broken]]:
    """The certificates of a unit, or what is broken in it: then it has none.

    Entries that have rows of the unit are checked whole, with their other rows.
    """
    sections = [(rows, _sections(connection, rows)) for rows in unit.rows]
    wrong: list[Broken] = []
    for rows, of_rows in sections:
        if not of_rows:
            wrong.append(_unchained(unit, rows))
        for section in of_rows:
            broken = check(section).broken
            wrong += [broken] if broken is not None else []
    if wrong:
        return [], sorted(wrong)
    made: list[RowsRetired] = []
    for rows, of_rows in sections:
        place = (rows.topic, rows.partition)
        blocks = chains.entries(connection, place, of_rows[0].first, of_rows[-1].last)
        going = Going(*place, unit.table, unit.chunk, unit.from_ns, unit.until_ns)
        made += certify(going, blocks, _offsets(connection, unit, rows))
    return made, []


def _sections(connection: Connection, rows: Rows) -> Sequence[Section]:
    """The entries that have these rows, in parts that one check takes."""
    table = chains.table_of(rows.topic)
    if table is None:
        return []
    found: list[Section] = []
    for number, first, last, records in connection.execute(_ENTRIES, rows).fetchall():
        if found and found[-1].records < SECTION:
            before = found.pop()
            first, low = before.first, before.low
            count = before.records + records
        else:
            low = found[-1].high if found else first - 1
            first, count = number, records
        found.append(Section(rows.topic, rows.partition, table, first, number, low, last, count))
    return found


def _offsets(connection: Connection, unit: Unit, rows: Rows) -> Iterator[int]:
    asked = _OFFSETS.format(sql.Identifier(unit.table), unit.within)
    with connection.cursor(name="going") as cursor:
        cursor.itersize = 20_000
        for (offset,) in cursor.execute(asked, rows):
            yield offset


def _unchained(unit: Unit, rows: Rows) -> Broken:
    what = "rows of a partition that has no chain"
    return Broken(rows.topic, rows.partition, rows.first, what, "no row", "a row", unit.table)
