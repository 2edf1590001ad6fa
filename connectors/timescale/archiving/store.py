"""Batches into the database: rows and offsets in one transaction, or neither."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any, Literal, NamedTuple

import structlog
from psycopg.errors import UniqueViolation
from psycopg_pool import ConnectionPool

from connectors.timescale import chain
from connectors.timescale.archiving.batch import Batch, Partition, Rows
from connectors.timescale.archiving.copying import missing, straight
from connectors.timescale.connection import Connection
from connectors.timescale.errors import REFUSALS, our_errors, sentence
from connectors.timescale.layout import Layout
from hadron.audit.facts import ChainHead
from hadron.errors import HadronError
from hadron.ports import Codec

# One connection is in use: who waits longer does not wait for a turn, but for the database.
_WAIT_S = 2.0

Copy = Callable[[Connection, Layout, list[Any]], int]

_ADVANCE = """
    UPDATE consumer_offsets AS known SET next_offset = batch.next
    FROM unnest(%s::text[], %s::int[], %s::bigint[], %s::bigint[])
        AS batch (topic, partition, expected, next)
    WHERE (known.topic, known.partition, known.next_offset)
        = (batch.topic, batch.partition, batch.expected)
"""
_BEGIN = """
    INSERT INTO consumer_offsets SELECT * FROM unnest(%s::text[], %s::int[], %s::bigint[])
    ON CONFLICT DO NOTHING
"""
_KNOWN = """
    SELECT topic, partition, next_offset FROM consumer_offsets
    JOIN unnest(%s::text[], %s::int[]) AS asked (topic, partition) USING (topic, partition)
"""

log = structlog.get_logger()


class OffsetsMoved(HadronError):
    """Someone else, or we before a lost answer, wrote these records: read the offsets again."""


class Written(NamedTuple):
    """What one transaction did. `repeated` are rows that were there already."""

    rows: dict[str, int]  # by table
    repeated: int
    way: Literal["straight", "checked"]


class Store:
    """Writes batches. All methods raise TransientError while the database is unwell.

    The offsets say what is new, so rows go straight in. But somebody may have moved or deleted the
    offsets, and then rows are there already. Therefore a partition whose chain has gone further
    than its offset is checked, until a whole batch of it was new; and so is one of which a row
    turns out to be there. `new` are partitions whose tables are known to hold nothing.
    """

    def __init__(
        self, pool: ConnectionPool, codec: Codec, *, new: Iterable[Partition] = ()
    ) -> None:
        self._pool = pool
        self._codec = codec
        self._new = set(new)  # partitions that are past what their tables hold

    def write(self, batch: Batch) -> Written:
        """Write rows and offsets, all or none.

        Rows that the database refuses become dead letters. Raise OffsetsMoved if the offsets are
        not those that the batch expects.
        """
        with our_errors(), self._connection() as connection:
            try:
                return self._written(connection, batch)
            except REFUSALS:
                self._bury_refused(connection, batch)
                return self._written(connection, batch)

    def offsets(self, places: Iterable[Partition]) -> dict[Partition, int]:
        """The next offset of each partition that was begun."""
        places = list(places)
        self._new.difference_update(places)
        with our_errors(), self._connection() as connection:
            rows = connection.execute(_KNOWN, _columns(places)).fetchall()
            # After the offsets: a rival who writes in between makes us check, not trust.
            heads = chain.heads(connection, places)
        known = {(topic, partition): offset for topic, partition, offset in rows}
        self._new.update(
            place for place in known if place not in heads or heads[place].last < known[place]
        )
        return known

    def heads(self, places: Iterable[Partition]) -> dict[Partition, ChainHead]:
        """How far the chain of each partition has come that has one."""
        with our_errors(), self._connection() as connection:
            return chain.heads(connection, places)

    def begin(self, starts: Mapping[Partition, int]) -> None:
        """Give partitions their first offset; those that have one keep it."""
        with our_errors(), self._connection() as connection:
            connection.execute(_BEGIN, (*_columns(starts), list(starts.values())))

    def _connection(self) -> AbstractContextManager[Connection]:
        return self._pool.connection(timeout=min(_WAIT_S, self._pool.timeout))

    def _written(self, connection: Connection, batch: Batch) -> Written:
        places = batch.expected.keys()
        if places <= self._new:
            try:
                return Written(_transaction(connection, batch, straight), 0, "straight")
            except UniqueViolation as there:
                log.warning("archive.rows_were_there", reason=sentence(there))
                self._new -= places
        rows = _transaction(connection, batch, missing)
        repeated = sum(len(some.rows) for some in batch.tables.values()) - sum(rows.values())
        if not repeated:
            self._new |= places
        return Written(rows, repeated, "checked")

    def _bury_refused(self, connection: Connection, batch: Batch) -> None:
        for layout, rows in list(batch.tables.items()):
            refused = dict(_refused(connection, layout, rows, range(len(rows.rows))))
            if not refused:
                continue
            batch.tables[layout] = kept = Rows()
            for place, (row, message) in enumerate(zip(rows.rows, rows.messages, strict=True)):
                if place in refused:
                    batch.bury(message, f"its row is refused: {refused[place]}", self._codec)
                else:
                    kept.rows.append(row)
                    kept.messages.append(message)


def _transaction(connection: Connection, batch: Batch, copy: Copy) -> dict[str, int]:
    with connection.transaction():
        _advance(connection, batch)
        written: dict[str, int] = {}
        for layout, rows in batch.tables.items():
            if rows.rows:
                count = copy(connection, layout, rows.rows)
                written[layout.table] = written.get(layout.table, 0) + count
        heads = chain.extend(connection, batch.leaves, at_ns=time.time_ns())
    batch.heads = heads
    return written


def _advance(connection: Connection, batch: Batch) -> None:
    # In one order, or two archives that both believe to own them would deadlock.
    places = sorted(batch.expected)
    topics, partitions = _columns(places)
    expected = [batch.expected[place] for place in places]
    following = [batch.next[place] for place in places]
    moved = connection.execute(_ADVANCE, (topics, partitions, expected, following)).rowcount
    if moved != len(places):
        raise OffsetsMoved(f"{len(places) - moved} of {len(places)} offsets are not as expected")


def _refused(
    connection: Connection, layout: Layout, rows: Rows, places: range
) -> Iterator[tuple[int, str]]:
    """Which rows the database does not take and why, by halves; all trials are rolled back."""
    try:
        with connection.transaction(force_rollback=True):
            missing(connection, layout, [rows.rows[place] for place in places])
    except REFUSALS as error:
        if len(places) == 1:
            yield places[0], sentence(error)
            return
        middle = len(places) // 2
        yield from _refused(connection, layout, rows, places[:middle])
        yield from _refused(connection, layout, rows, places[middle:])


def _columns(places: Iterable[Partition]) -> tuple[list[str], list[int]]:
    pairs = list(places)
    return [topic for topic, _ in pairs], [partition for _, partition in pairs]
