"""The log as it can be rebuilt from the rows, byte for byte."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from connectors.timescale.errors import our_errors
from connectors.timescale.kept import version_of
from connectors.timescale.tables import TABLE_OF, fact_of
from hadron.ports import Codec
from hadron.topics import Topic

_ROWS = sql.SQL("""
    SELECT * FROM {} WHERE log_topic = %s ORDER BY log_partition, log_offset
""")


def table_of(topic: Topic) -> str:
    """The table that has the facts of a sink topic."""
    return TABLE_OF[topic.facts[0]]


def values(url: str, name: str, topic: Topic, codec: Codec) -> Iterator[tuple[int, int, bytes]]:
    """(partition, offset, bytes) of each stored record of a topic, in log order.

    `name` is the topic's name on the log. Records that could not be read are among them at the end.
    """
    with our_errors(), psycopg.connect(url, row_factory=dict_row) as connection:
        for table in dict.fromkeys((table_of(topic), "dead_letters")):
            with connection.cursor(name="records") as cursor:
                cursor.execute(_ROWS.format(sql.Identifier(table)), (name,))
                for row in cursor:
                    yield row["log_partition"], row["log_offset"], value(table, row, codec)


def value(table: str, row: Mapping[str, Any], codec: Codec) -> bytes:
    """The bytes that the record of a row has on the log."""
    version = version_of(row["record"])
    if version is None:
        return bytes(row["record"])
    if table == "dead_letters":
        own = row["cause_topic"], row["cause_partition"], row["cause_offset"]
        if own == (row["log_topic"], row["log_partition"], row["log_offset"]):
            return bytes(row["value"])  # a record that the archive could not read
    return codec.encode_as(fact_of(table, row, codec), version)
