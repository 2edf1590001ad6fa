"""Rows read again as leaves, slice by slice, in the order of the log."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from psycopg import sql
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg.pq import Format
from psycopg.rows import dict_row

from connectors.timescale.binary import EPOCH_US
from connectors.timescale.connection import Connection
from connectors.timescale.verifying.expectation import leaf_of
from hadron.audit.leaves import Leaves
from hadron.audit.verification import Slice
from hadron.ports import Codec

SLICE = 2_000

# Cast: with the narrower integers that are sent else, compressed chunks gave nothing (2.23).
_ROWS = sql.SQL("""
    SELECT * FROM {} WHERE log_topic = %s AND log_partition = %s::int
        AND log_offset > %s::bigint AND log_offset <= %s::bigint
    ORDER BY log_offset
""")


class Range(NamedTuple):
    """Rows of one partition whose offset is above `low` and at most `high`."""

    topic: str
    partition: int
    low: int
    high: int


def slices(
    connection: Connection, table: str, rows: Range, codec: Codec, leaves: Leaves
) -> Iterator[Slice]:
    """The leaves of the rows of any table."""
    with connection.cursor(name=f"again_{table}", row_factory=dict_row) as cursor:
        cursor.adapters.register_loader("timestamptz", _Microseconds)
        cursor.adapters.register_loader("json", _Text)
        cursor.itersize = SLICE
        cursor.execute(_ROWS.format(sql.Identifier(table)), rows, binary=True)
        while found := cursor.fetchmany(SLICE):
            yield (
                [row["log_offset"] for row in found],
                [leaf_of(table, row, codec, leaves) for row in found],
            )


class _Microseconds(Loader):
    """As the server has it: it may be infinite, or before the year 1."""

    format = Format.BINARY

    def load(self, data: Buffer) -> int:
        return int(struct.unpack(">q", data)[0]) + EPOCH_US


class _Text(Loader):
    """JSON as it is written: blanks in it are no part of any fact."""

    format = Format.BINARY

    def load(self, data: Buffer) -> str:
        return bytes(data).decode("utf-8", "replace")
