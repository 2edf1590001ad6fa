"""Rebuilds tables from the log, and tells where the live ones were not what the log says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial

import msgspec
import psycopg

from connectors.timescale import chain
from connectors.timescale.connection import Connection
from connectors.timescale.errors import our_errors
from connectors.timescale.rebuilding import comparing, filling, retired, staging
from connectors.timescale.rebuilding.sources import Partition, Sources, Span
from connectors.timescale.rebuilding.staging import SCHEMA, Progress, Tables
from connectors.timescale.rebuilding.swapping import Swapped, swap
from connectors.timescale.retiring.retire import RETIRING
from hadron.audit.facts import RowsRetired
from hadron.errors import HadronError
from hadron.ports import Codec, Telemetry
from hadron.topics import Topic

_REBUILDING = 0x4841_4453
# What nobody else may do meanwhile: rows that a retire lets go just then would come back.
_LOCKS = {_REBUILDING: "another rebuild works", RETIRING: "`hadron storage retire` works"}
_KNOWN = "SELECT topic, partition, next_offset FROM consumer_offsets WHERE topic = ANY(%s)"
_FOUND = f"""
    SELECT topic, partition, first, past, whole, sum(live)::bigint, sum(rebuilt)::bigint,
        count(*) FILTER (WHERE NOT same)
    FROM {SCHEMA}.spans LEFT JOIN {SCHEMA}.compared USING (topic, partition)
    GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2
"""


class Found(msgspec.Struct, frozen=True):
    """A partition: the offsets that were compared, [first, past), and the rows of both sides.

    What the log has behind `past`, up to `end`, is the archive's to write.
    """

    topic: str
    partition: int
    first: int
    past: int
    end: int
    live: int
    rebuilt: int
    differing: int  # stretches of offsets


class Rebuilt(msgspec.Struct, frozen=True):
    """What was found, and what was changed in each table."""

    partitions: list[Found]
    tables: dict[str, Swapped]
    retired: int = 0  # rows of the log that went with a certificate, and stay away

    @property
    def rows(self) -> int:
        return sum(one.rebuilt for one in self.partitions)

    @property
    def same(self) -> bool:
        """The live tables were what the log says."""
        return not any(one.differing for one in self.partitions)


class Work(msgspec.Struct, frozen=True):
    """What to rebuild, and from what. `retired` are certificates that a trusted key signed."""

    url: str
    sources: Sources
    topics: Mapping[str, Topic]  # by their names on the log
    codec: Codec
    telemetry: Telemetry
    retired: Sequence[RowsRetired] = ()


def rebuild(
    work: Work,
    *,
    then: Callable[[Connection, Tables], dict[str, Swapped]] = swap,
    progress: Progress = lambda *_: None,
) -> Rebuilt:
    """Refill the tables of topics beside the live ones, compare, and put in what differs.

    Live tables that hold nothing of the topics are filled at once, in one transaction. What went
    with a certificate that fits their chains stays away.

    Raise HadronError, before anything is changed, where the log's beginning is missing, or what
    comes after the last live row.
    """
    spans = work.sources.spans(list(work.topics))
    away = 0
    compacted = frozenset(name for name, topic in work.topics.items() if topic.compacted)
    with (
        our_errors(),
        psycopg.connect(work.url, autocommit=True) as connection,
        _alone(connection),
    ):
        tables = staging.live(connection)
        known = _known(connection, spans)
        asked = comparing.bounds(spans, known, compacted)
        comparing.tell(connection, asked)
        write = partial(_write, connection, work, spans, progress)
        if then is swap and filling.holds_nothing(connection, tables, spans, known):
            swapped = filling.fill(connection, tables, spans, write)
        else:
            retired.tell(connection, work.retired)
            staging.make(connection, tables)
            with comparing.hashing_live(work.url, asked) as live:
                write()
                away = retired.leave_out(connection, tables)
                comparing.compare(connection, tables, asked, live.result())
            swapped = then(connection, tables)
        rows = connection.execute(_FOUND).fetchall()
    found = [Found(*row[:5], *(number or 0 for number in row[5:])) for row in rows]
    return Rebuilt(found, swapped, away)


def _write(connection: Connection, work: Work, spans: Sequence[Span], progress: Progress) -> None:
    staging.fill(
        connection,
        work.sources,
        spans,
        stored=work.topics,
        codec=work.codec,
        telemetry=work.telemetry,
        progress=progress,
    )


def only_compare(connection: Connection, tables: Tables) -> dict[str, Swapped]:
    """In the place of `swap`: change nothing."""
    return {}


@contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    for lock, who in _LOCKS.items():
        [(locked,)] = connection.execute("SELECT pg_try_advisory_lock(%s)", (lock,)).fetchall()
        if not locked:
            raise HadronError(f"{who} in this database right now; run it again afterwards")
    try:
        yield
    finally:
        # A server ends a session some time after its client; one that is broken ends by itself.
        with suppress(psycopg.OperationalError):
            connection.execute("SELECT pg_advisory_unlock_all()")


def _known(connection: Connection, spans: Sequence[Span]) -> dict[Partition, int]:
    """How far the live tables have each partition: by the ledger, or where it is lost by the chain.

    Raise HadronError where the log has lost what comes next.
    """
    rows = connection.execute(_KNOWN, ([span.topic for span in spans],)).fetchall()
    known = {(topic, partition): offset for topic, partition, offset in rows}
    heads = chain.heads(connection, [span.place for span in spans])
    known = {place: head.last + 1 for place, head in heads.items()} | known
    for span in spans:
        if (reached := known.get(span.place, span.first)) < span.first:
            raise HadronError(
                f"{reached} to {span.first} of {span.topic}/{span.partition} are neither in the"
                " database nor on the log"
            )
    return known
