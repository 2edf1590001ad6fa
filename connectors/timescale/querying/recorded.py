"""Raw events and ticks as the archive has them, in the order in which they were received."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from operator import attrgetter

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from connectors.timescale.errors import our_errors
from connectors.timescale.records import table_of, value
from hadron.ports import Codec, Record
from hadron.topics import Topic

MS = 1_000_000
ROWS = 2_000  # of one fetch
_PARTITIONS = sql.SQL("SELECT DISTINCT log_partition FROM {} WHERE log_topic = %s ORDER BY 1")
_ROWS = sql.SQL("""
    SELECT * FROM {} WHERE log_topic = %s AND log_partition = %s
        AND seen_ns >= %s::bigint AND seen_ns < %s::bigint
    ORDER BY log_offset
""")


def recorded(
    url: str, topics: Sequence[Topic], codec: Codec, *, since_ns: int, until_ns: int
) -> Iterator[Record]:
    """The records of topics received in [since, until), stamped with their receipt.

    Those of a partition come in the order of their offsets.
    """
    with our_errors(), psycopg.connect(url, row_factory=dict_row) as connection:

        def partition(topic: Topic, number: int) -> Iterator[Record]:
            table = table_of(topic)
            with connection.cursor(name=f"{topic.name}/{number}") as cursor:
                cursor.itersize = ROWS
                place = (topic.name, number)
                cursor.execute(_ROWS.format(sql.Identifier(table)), (*place, since_ns, until_ns))
                for row in cursor:
                    stamp_ms = row["seen_ns"] // MS
                    record = value(table, row, codec)
                    yield Record(*place, row["log_offset"], stamp_ms, None, record)

        found = []
        for topic in topics:
            query = _PARTITIONS.format(sql.Identifier(table_of(topic)))
            for row in connection.execute(query, (topic.name,)).fetchall():
                found.append(partition(topic, row["log_partition"]))
        yield from heapq.merge(*found, key=attrgetter("timestamp_ms"))
