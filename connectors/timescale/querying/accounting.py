"""Whether what was produced is stored, once, and whether every decision came to one end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import psycopg
from psycopg import sql

from connectors.timescale import control, raw, ticks
from connectors.timescale.connection import Connection
from connectors.timescale.errors import our_errors
from connectors.timescale.records import table_of
from hadron.ports import FactLog
from hadron.topics import Topic


class Account(msgspec.Struct, frozen=True):
    """One topic. `produced` are the records that the log has now, `stored` their rows.

    `distinct` counts places on the log. `rows` and `names` count facts: a name is the cause that a
    fact follows from, so a fact that was produced twice makes `names` less than `rows`. What people
    say has no cause: there a name is the place on the log.
    """

    topic: str
    produced: int
    stored: int
    distinct: int
    rows: int
    names: int

    @property
    def holds(self) -> bool:
        """Nothing is missing and nothing is there twice."""
        return self.produced == self.stored == self.distinct and self.rows == self.names


class Endings(msgspec.Struct, frozen=True):
    """How many terminal facts the stored decisions have."""

    decisions: int
    one: int
    none: int
    many: int

    @property
    def holds(self) -> bool:
        """Each decision has exactly one."""
        return self.one == self.decisions


# Counted by groups: count(DISTINCT) sorts all rows, which takes minutes for millions of them.
_TWICE = sql.SQL("""
    SELECT coalesce(sum(copies - 1), 0)
    FROM (SELECT count(*) AS copies FROM ticks GROUP BY venue, raw_partition, raw_offset) AS names
""")
# Rows of a topic at given places. Dead letters of the archive stand for records of any topic.
_STORED = sql.SQL("""
    WITH places AS (
        SELECT log_partition, log_offset FROM {table} WHERE log_topic = %(topic)s
        UNION ALL
        SELECT log_partition, log_offset FROM dead_letters
        WHERE log_topic = %(topic)s AND {table_name} <> 'dead_letters'
    )
    SELECT coalesce(sum(copies), 0), count(*)
    FROM (
        SELECT count(*) AS copies FROM places WHERE {on_the_log} GROUP BY log_partition, log_offset
    ) AS each
""")
_WITHIN = sql.SQL("""
    EXISTS (SELECT FROM unnest(%(partitions)s::int[], %(starts)s::bigint[], %(ends)s::bigint[])
        AS kept (log_partition, first, past)
        WHERE kept.log_partition = places.log_partition
            AND places.log_offset >= kept.first AND places.log_offset < kept.past)
""")
_LISTED = sql.SQL("""
    (log_partition, log_offset) IN
        (SELECT * FROM unnest(%(partitions)s::int[], %(offsets)s::bigint[]))
""")
_NAMES = sql.SQL("""
    SELECT coalesce(sum(copies), 0), count(*)
    FROM (SELECT count(*) AS copies FROM {table} WHERE log_topic = %s GROUP BY {name}) AS names
""")
_ENDINGS = sql.SQL("""
    WITH ends AS (
        SELECT count(*) FILTER (WHERE judged <> 'approved') + count(order_offset) AS number
        FROM decisions_with_ends
        WHERE log_topic = %s
        GROUP BY log_topic, log_partition, log_offset
    )
    SELECT count(*), count(*) FILTER (WHERE number = 1), count(*) FILTER (WHERE number = 0),
        count(*) FILTER (WHERE number > 1)
    FROM ends
""")
_CAUSE = ("cause_topic", "cause_partition", "cause_offset", "cause_index")
_PLACE = ("log_partition", "log_offset")
_NAME: Mapping[str, tuple[str, ...]] = {
    ticks.TABLE: ("venue", "raw_partition", "raw_offset"),
    raw.TABLE: ("venue", "connection", "frame", "frame_index"),
    "price_marks": (*_CAUSE, "log_partition"),  # one copy on each partition
    control.TABLE: _PLACE,
    "instruments_listed": _PLACE,
    "strategy_versions": _PLACE,
    "dead_letters": (*_CAUSE, "process"),
}


def accounts(
    url: str, log: FactLog, topics: Mapping[str, Topic], *, partitions: int
) -> list[Account]:
    """The accounts of sink topics, by their names on the log, each of so many partitions."""
    with our_errors(), _connected(url) as connection:
        return [
            _account(connection, log, name, topic, partitions) for name, topic in topics.items()
        ]


def endings(url: str, decisions: str = "decisions") -> Endings:
    """What became of the decisions of a topic: rejected, dismissed, filled, or rejected later."""
    with our_errors(), _connected(url) as connection:
        return Endings(*_one(connection, _ENDINGS, (decisions,)))


def ticks_named_twice(url: str) -> int:
    """Rows of ticks beyond the first of their raw record, whatever the lanes they came by."""
    with our_errors(), _connected(url) as connection:
        return int(_one(connection, _TWICE, {})[0])


def offsets(url: str) -> Mapping[tuple[str, int], int]:
    """The offset that the archive takes next, by topic and partition."""
    with our_errors(), psycopg.connect(url) as connection:
        rows = connection.execute("SELECT topic, partition, next_offset FROM consumer_offsets")
        return {(topic, partition): offset for topic, partition, offset in rows}


def _connected(url: str) -> Connection:
    """A connection that may keep the groups of some million rows in memory."""
    connection = psycopg.connect(url)
    connection.execute("SET work_mem = '128MB'")
    return connection


def _account(
    connection: Connection, log: FactLog, name: str, topic: Topic, partitions: int
) -> Account:
    places = [(name, partition) for partition in range(partitions)]
    starts, ends = log.starts(places), log.ends(places)
    table = table_of(topic)
    asked: dict[str, Any] = {"topic": name}
    if topic.compacted:
        # Compaction took some records away, so the offsets that are left have to be listed.
        left = [
            (record.partition, record.offset)
            for place in places
            for record in log.read(*place, start=starts[place], end=ends[place])
            if record.value is not None
        ]
        produced, condition = len(left), _LISTED
        asked["partitions"] = [partition for partition, _ in left]
        asked["offsets"] = [offset for _, offset in left]
    else:
        produced = sum(ends[place] - starts[place] for place in places)
        condition = _WITHIN
        asked["partitions"] = [partition for _, partition in places]
        asked["starts"] = [starts[place] for place in places]
        asked["ends"] = [ends[place] for place in places]
    query = _STORED.format(
        table=sql.Identifier(table), table_name=sql.Literal(table), on_the_log=condition
    )
    stored, distinct = _one(connection, query, asked)
    columns = sql.SQL(", ").join(map(sql.Identifier, _NAME.get(table, _CAUSE)))
    naming = _NAMES.format(name=columns, table=sql.Identifier(table))
    rows, names = _one(connection, naming, (name,))
    return Account(name, produced, int(stored), distinct, int(rows), names)


def _one(connection: Connection, query: sql.SQL | sql.Composed, parameters: Any) -> Any:
    [row] = connection.execute(query, parameters).fetchall()
    return row
