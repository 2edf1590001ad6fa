"""Finds stored facts by their place, by their cause, and by the id of their order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from connectors.timescale.errors import our_errors
from connectors.timescale.layout import time_of
from connectors.timescale.records import table_of, value
from hadron.audit.names import Name, Place
from hadron.audit.story import Where
from hadron.errors import ContractError, HadronError
from hadron.market.facts import RawReceived
from hadron.ports import Codec, FactLog
from hadron.topics import DECISIONS, INTENTS, ORDERS, POSITIONS, TICKS, Topic, sink_topics
from hadron.venues.registry import PARSERS

MOST = 1_000  # facts that follow from one

# Numbers are cast to their columns' types: psycopg sends a small one as int2, and then look-ups in
# compressed chunks of TimescaleDB 2.23 came back empty (test_timescale_queries).
AT = """
    SELECT * FROM {table}
    WHERE log_topic = %(topic)s AND log_partition = %(partition)s::integer
        AND log_offset = %(offset)s::bigint
"""
# Where it is guessed right, one chunk and, if that is compressed, one segment are looked at.
AT_GUESSED = AT + " AND at = %(at)s AND instrument = %(instrument)s"
CAUSE = """
    SELECT * FROM {table}
    WHERE cause_topic = %(topic)s AND cause_partition = %(partition)s::integer
        AND cause_offset = %(offset)s::bigint
"""
IN_ORDER = f" ORDER BY log_topic, log_partition, log_offset LIMIT {MOST}"
CAUSED = CAUSE + IN_ORDER
NAMED = CAUSE + " AND cause_index = %(index)s::integer" + IN_ORDER
OF_ORDER = "SELECT * FROM order_executions WHERE client_order = %(order)s" + IN_ORDER
PARSED = """
    SELECT * FROM ticks
    WHERE instrument = %(instrument)s AND at = %(at)s AND venue = %(venue)s
        AND raw_partition = %(partition)s::integer AND raw_offset = %(offset)s::bigint
"""
_NAMED: Mapping[str, Topic] = {
    **{topic.name: DECISIONS for topic in TICKS.values()},
    DECISIONS.name: INTENTS,
    INTENTS.name: ORDERS,
    ORDERS.name: POSITIONS,
    "marks": POSITIONS,
}


class Found(NamedTuple):
    """A record: where it lies, its bytes, and who had them."""

    place: Place
    value: bytes
    where: Where


class Guess(NamedTuple):
    """What a record is about, if it is like the one that led to it."""

    at_ns: int
    instrument: str


class Lineage:
    """Looks in the archive, and in the log for what the archive has not."""

    def __init__(
        self,
        connection: psycopg.Connection[dict[str, Any]],
        codec: Codec,
        log: Callable[[], FactLog | None],
    ) -> None:
        self._connection = connection
        self._codec = codec
        self._log = log
        self._tables = {topic.name: table_of(topic) for topic in sink_topics()}

    def at(self, place: Place, guess: Guess | None = None) -> Found | None:
        """The record that lies there; None if nobody has it."""
        where = {"topic": place.topic, "partition": place.partition, "offset": place.offset}
        tables = [table for table in (self._tables.get(place.topic), "dead_letters") if table]
        if guess is not None and len(tables) > 1:
            near = {"at": time_of(guess.at_ns), "instrument": guess.instrument}
            for found in self._rows(AT_GUESSED, tables[0], {**where, **near}):
                return found
        for table in tables:
            for found in self._rows(AT, table, where):
                return found
        return self._on_the_log(place)

    def following(self, place: Place, topic: Topic) -> list[Found]:
        """The facts of a topic that the record there caused, in log order."""
        cause = {"topic": place.topic, "partition": place.partition, "offset": place.offset}
        return list(self._rows(CAUSED, table_of(topic), cause))

    def ticks_of(self, place: Place, raw: RawReceived) -> list[Found]:
        """The ticks of a raw event; its time, which the index wants, is read as normalize does."""
        try:
            parsed = PARSERS[raw.venue](raw.payload)
        except (KeyError, ContractError):
            return []
        if parsed is None:
            return []
        asked = {
            "instrument": raw.instrument,
            "at": time_of(parsed.at_ns or raw.seen_ns),
            "partition": place.partition,
            "offset": place.offset,
            "venue": raw.venue,
        }
        return list(self._rows(PARSED, "ticks", asked))

    def of_order(self, order: str) -> list[Found]:
        """What was said of an order, in log order."""
        return list(self._rows(OF_ORDER, "order_executions", {"order": order}))

    def named(self, name: Name) -> list[Found]:
        """The facts of that name: one, or one for each time that it was produced."""
        topic = _NAMED.get(name.source)
        if topic is None:
            return []
        cause = {"topic": name.source, "partition": name.partition, "offset": name.offset}
        return list(self._rows(NAMED, table_of(topic), {**cause, "index": name.index}))

    def _rows(self, statement: str, table: str, parameters: Mapping[str, Any]) -> Iterator[Found]:
        query = sql.SQL(statement).format(table=sql.Identifier(table))
        for row in self._connection.execute(query, parameters).fetchall():
            place = Place(row["log_topic"], row["log_partition"], row["log_offset"])
            yield Found(place, value(table, row, self._codec), "archive")

    def _on_the_log(self, place: Place) -> Found | None:
        log = self._log() if place.topic in self._tables else None
        if log is None:
            return None
        partition = (place.topic, place.partition)
        try:
            starts, ends = log.starts([partition]), log.ends([partition])
            if not starts[partition] <= place.offset < ends[partition]:
                return None
            records = list(log.read(*partition, start=place.offset, end=place.offset + 1))
        except (
            HadronError
        ):  # unwell, or deleted meanwhile: it is not to be had, which is the answer
            return None
        values = [record.value for record in records if record.value is not None]
        return Found(place, values[0], "log") if values else None


@contextmanager
def lineage(
    url: str, codec: Codec, log: Callable[[], FactLog | None] = lambda: None
) -> Iterator[Lineage]:
    """A look-out over one connection. `log` is asked for once the archive lacks something."""
    with (
        our_errors(),
        psycopg.connect(url, autocommit=True, row_factory=dict_row) as connection,
    ):
        yield Lineage(connection, codec, log)
