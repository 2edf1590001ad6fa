"""The chains of the partitions in `audit_chain`: one entry for each partition of a batch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from connectors.timescale.archiving.batch import Partition
from connectors.timescale.connection import Connection
from hadron.audit.chain import Block, Entry, block
from hadron.audit.facts import ChainHead

_HEADS = """
    SELECT topic, partition, number, last_offset, hash
    FROM unnest(%s::text[], %s::int[]) AS asked (topic, partition) CROSS JOIN LATERAL (
        SELECT number, last_offset, hash FROM audit_chain AS known
        WHERE (known.topic, known.partition) = (asked.topic, asked.partition)
        ORDER BY number DESC LIMIT 1
    ) AS newest
"""
_EXTEND = """
    INSERT INTO audit_chain (topic, partition, number, first_offset, last_offset, records,
        chained_at_ns, root, previous, hash, leaves, runs)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
COLUMNS = """
    topic, partition, number, first_offset, last_offset, records, chained_at_ns, root, previous
"""


def extend(
    connection: Connection, leaves: Mapping[Partition, Mapping[int, bytes]], *, at_ns: int
) -> dict[Partition, ChainHead]:
    """Chain the leaves of a batch, in the transaction that wrote its rows, and return the heads.

    The caller holds the rows of these partitions in `consumer_offsets`, so that no chain forks.
    What a chain has already is not chained again: its records were read a second time.
    """
    known = heads(connection, leaves)
    fresh = list(_blocks(leaves, known, at_ns))
    insert(connection, fresh)
    return known | {(one.entry.topic, one.entry.partition): one.entry.head for one in fresh}


def insert(connection: Connection, blocks: Iterable[Block]) -> None:
    """Add entries as they are; `extend` is what makes them."""
    with connection.cursor() as cursor:
        cursor.executemany(_EXTEND, [_row(one) for one in blocks])


def heads(connection: Connection, places: Iterable[Partition]) -> dict[Partition, ChainHead]:
    """The newest entry of each chain that was begun."""
    asked = list(places)
    parameters = [topic for topic, _ in asked], [partition for _, partition in asked]
    found = (ChainHead(*row) for row in connection.execute(_HEADS, parameters))
    return {(head.topic, head.partition): head for head in found}


def entry_of(row: tuple[Any, ...]) -> Entry:
    """The entry of a row of `COLUMNS`."""
    return Entry(*row)


def _blocks(
    leaves: Mapping[Partition, Mapping[int, bytes]],
    known: Mapping[Partition, ChainHead],
    at_ns: int,
) -> Iterator[Block]:
    for place, by_offset in leaves.items():
        after = known.get(place)
        ours = by_offset
        if after is not None and after.last >= next(iter(by_offset)):
            ours = {offset: leaf for offset, leaf in by_offset.items() if offset > after.last}
        if ours:
            yield block(*place, list(ours), list(ours.values()), after=after, at_ns=at_ns)


def _row(one: Block) -> tuple[Any, ...]:
    entry = one.entry
    numbers = (entry.number, entry.first, entry.last, entry.count, entry.at_ns)
    hashes = (entry.root, entry.previous, entry.hash, one.leaves)
    return (entry.topic, entry.partition, *numbers, *hashes, list(one.runs) or None)
