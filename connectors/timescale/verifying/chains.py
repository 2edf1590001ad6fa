"""What the database says of its own chains, before any row of them is looked at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

import msgspec
from psycopg import sql

from connectors.timescale.chain import COLUMNS, entry_of
from connectors.timescale.connection import Connection
from connectors.timescale.tables import TABLE_OF, TABLES
from hadron import topics
from hadron.audit.chain import Block
from hadron.audit.facts import RecordPoisoned, RowsRetired
from hadron.audit.retirement import Excused, fits
from hadron.audit.verification import Broken, Known, broken_link

LETTERS = TABLE_OF[RecordPoisoned]
SECTION = 20_000  # records that one process checks in one go
END = 2**63 - 1

Place = tuple[str, int]

_CHAINS = f"SELECT {COLUMNS}, hash FROM audit_chain ORDER BY topic, partition, number"
_BLOCKS = f"""
    SELECT {COLUMNS}, leaves, runs FROM audit_chain
    WHERE topic = %s AND partition = %s AND number BETWEEN %s AND %s ORDER BY number
"""
# Jumps from place to place through the index.
_PLACES = sql.SQL("""
    WITH RECURSIVE places AS (
        (SELECT log_topic, log_partition FROM {table} ORDER BY 1, 2 LIMIT 1)
        UNION ALL
        SELECT following.* FROM places AS known CROSS JOIN LATERAL (
            SELECT log_topic, log_partition FROM {table} AS other
            WHERE (other.log_topic, other.log_partition) > (known.log_topic, known.log_partition)
            ORDER BY 1, 2 LIMIT 1
        ) AS following
    )
    SELECT log_topic, log_partition FROM places
""")
_LEDGER = "SELECT topic, partition, next_offset FROM consumer_offsets ORDER BY 1, 2"


class Section(msgspec.Struct, frozen=True):
    """Entries `first` to `last` of one chain, and the offsets above `low` up to `high`.

    The sections of a chain have no offset between them that is in none.
    """

    topic: str
    partition: int
    table: str
    first: int
    last: int
    low: int
    high: int
    records: int


class Chains(msgspec.Struct):
    """The entries of all chains, by topic, partition and number, and what is wrong with them."""

    hashes: dict[tuple[str, int, int], bytes] = {}
    ends: dict[Place, int] = {}  # the last offset of each
    newest_ns: int = 0
    sections: list[Section] = []
    broken: list[Broken] = []
    gone: int = 0  # rows that went with a certificate
    retired: list[Excused] = []  # of each certificate, part by part


def read(connection: Connection, *, since_ns: int) -> Chains:
    """Look at every entry; entries made before `since_ns` are in no section."""
    chains = Chains()
    with connection.cursor(name="chains") as cursor:
        cursor.itersize = 10_000
        entries = (Known(entry_of(row[:-1]), row[-1]) for row in cursor.execute(_CHAINS))
        for place, known in groupby(entries, lambda one: (one.entry.topic, one.entry.partition)):
            _add(chains, place, list(known), since_ns)
    chains.broken += _of_ledger(connection, chains)
    chains.broken += _of_places(connection, chains)
    return chains


def blocks(connection: Connection, section: Section) -> Iterator[Block]:
    """The entries of a section with their leaves."""
    return entries(connection, (section.topic, section.partition), section.first, section.last)


def fitting(connection: Connection, retired: Iterable[RowsRetired]) -> list[RowsRetired]:
    """The certificates that speak of the chains of this database."""
    return [
        one
        for one in retired
        if fits(
            one, entries(connection, (one.topic, one.partition), one.first_entry, one.last_entry)
        )
    ]


def entries(connection: Connection, place: Place, first: int, last: int) -> Iterator[Block]:
    """Entries of a chain by number, with their leaves."""
    asked = (*place, first, last)
    with connection.cursor(name="blocks") as cursor:
        cursor.itersize = 20
        for *columns, leaves, runs in cursor.execute(_BLOCKS, asked, binary=True):
            yield Block(entry_of(tuple(columns)), leaves, tuple(runs or ()))


def table_of(topic: str) -> str | None:
    """The table of a topic, under whatever prefix it is."""
    for known in topics.sink_topics():
        if topic == known.name or topic.endswith(f".{known.name}"):
            return TABLE_OF[known.facts[0]]
    return None


def _add(chains: Chains, place: Place, known: list[Known], since_ns: int) -> None:
    wrong = broken_link(known)
    if wrong is not None:
        chains.broken.append(wrong)
    for one in known:
        chains.hashes[(*place, one.entry.number)] = one.hash
    chains.ends[place] = known[-1].entry.last
    chains.newest_ns = max(chains.newest_ns, known[-1].entry.at_ns)
    table = table_of(place[0])
    if table is None:
        unknown = "a chain of a topic that nobody knows"
        chains.broken.append(Broken(*place, -1, unknown, "a topic", place[0], "audit_chain"))
        return
    chains.sections += _sections(place, table, known, since_ns)


def _sections(place: Place, table: str, known: list[Known], since_ns: int) -> Iterator[Section]:
    low, first, records = -1, None, 0
    for one, following in zip(known, [*known[1:], None], strict=True):
        entry = one.entry
        if first is None and entry.at_ns < since_ns:
            low = entry.last
            continue
        first = entry.number if first is None else first
        records += entry.count
        if records >= SECTION or following is None:
            high = END if following is None else entry.last
            yield Section(*place, table, first, entry.number, low, high, records)
            low, first, records = entry.last, None, 0
            since_ns = 0


def _of_ledger(connection: Connection, chains: Chains) -> Iterator[Broken]:
    for topic, partition, following in connection.execute(_LEDGER):
        last = chains.ends.get((topic, partition))
        if last is not None and following > last + 1:
            what = "the chain ends before what was stored"
            seen = f"next is {last + 1}"
            yield Broken(
                topic, partition, last + 1, what, f"next is {following}", seen, "audit_chain"
            )


def _of_places(connection: Connection, chains: Chains) -> Iterator[Broken]:
    for table in TABLES:
        for topic, partition in places(connection, table):
            wanted = table_of(topic) if (topic, partition) in chains.ends else None
            if wanted is None:
                what = "rows of a partition that has no chain"
            elif table not in (wanted, LETTERS):
                what = f"rows in the wrong table; wanted {wanted}"
            else:
                continue
            offset = lowest(connection, table, (topic, partition))
            yield Broken(topic, partition, offset, what, "no row", "a row", table)


def places(connection: Connection, table: str) -> list[Place]:
    """The partitions that a table has rows of."""
    return connection.execute(_PLACES.format(table=sql.Identifier(table))).fetchall()


def lowest(connection: Connection, table: str, place: Place) -> int:
    """The first offset of a partition that a table has."""
    query = sql.SQL("""
        SELECT min(log_offset) FROM {} WHERE log_topic = %s AND log_partition = %s::int
    """).format(sql.Identifier(table))
    [[offset]] = connection.execute(query, place).fetchall()
    return int(offset)
