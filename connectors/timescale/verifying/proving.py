"""Gathers what proves that a record was stored: its row, its leaf, its chain, a signature."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from connectors.timescale import records
from connectors.timescale.chain import COLUMNS, entry_of
from connectors.timescale.connection import Connection
from connectors.timescale.errors import our_errors
from connectors.timescale.layout import Place, time_of
from connectors.timescale.verifying import chains, rereading
from connectors.timescale.verifying.rereading import Range
from hadron.audit.anchors import standing
from hadron.audit.chain import Block, Entry
from hadron.audit.facts import HeadsAnchored
from hadron.audit.leaves import Leaves
from hadron.audit.proofs import RecordProof, prove
from hadron.envelope import HEAD, AvroCodec
from hadron.errors import HadronError

_BLOCK = f"""
    SELECT {COLUMNS}, leaves, runs FROM audit_chain
    WHERE topic = %s AND partition = %s AND first_offset <= %s
    ORDER BY first_offset DESC LIMIT 1
"""
_FOLLOWING = f"""
    SELECT {COLUMNS} FROM audit_chain
    WHERE topic = %s AND partition = %s AND number > %s AND number <= %s ORDER BY number
"""
_ROW = sql.SQL("""
    SELECT * FROM {} WHERE log_topic = %s AND log_partition = %s::int AND log_offset = %s::bigint
""")
_ORDER = """
    SELECT log_topic, log_partition, log_offset FROM order_executions WHERE client_order = %s
    ORDER BY log_partition, log_offset
"""


class Prover:
    """Proves records of one database by anchors that were found to be signed."""

    def __init__(self, url: str, codec: AvroCodec, anchors: Sequence[HeadsAnchored]) -> None:
        self._url, self._codec, self._anchors = url, codec, anchors
        self._leaves = Leaves(codec.fingerprint)

    def places(self, asked: str, prefix: str = "") -> list[Place]:
        """Where the records lie that a name stands for, each followed by what it follows from.

        A client order's id, or topic/partition/offset, as decisions/0/17; an index after it, as
        the names of derived facts have it, may follow. Raise HadronError if there is none.
        """
        with our_errors(), psycopg.connect(self._url) as connection:
            first = [Place(*row) for row in connection.execute(_ORDER, (asked,))]
            if not first and (named := _named(asked)) is not None:
                first = [_prefixed(named, prefix)]
            found = [one for place in first for one in self._causes(connection, place, prefix)]
        if not found and first:
            self._demand_kept(first[0])
        if not found:
            wanted = "the id of an order, or topic/partition/offset, as decisions/0/17"
            raise HadronError(f"nothing is stored of {asked!r}; wanted {wanted}")
        return list(dict.fromkeys(found))

    def prove(self, place: Place) -> RecordProof:
        """Raise HadronError if the row is not what was chained, or nobody has signed it yet."""
        with our_errors(), psycopg.connect(self._url) as connection:
            block = self._block(connection, place)
            value = self._value(connection, place, block)
            anchor, number = self._anchor(place, block.entry.number)
            key = (place.topic, place.partition, block.entry.number, number)
            following: list[Entry] = [entry_of(row) for row in connection.execute(_FOLLOWING, key)]
        return prove(
            place.offset,
            schema=self._codec.canonical(value),
            body=value[HEAD:],
            block=block,
            following=following,
            anchor=anchor,
        )

    def _block(self, connection: Connection, place: Place) -> Block:
        row = connection.execute(_BLOCK, place).fetchone()
        if row is not None:
            *columns, leaves, runs = row
            found = Block(entry_of(tuple(columns)), leaves, tuple(runs or ()))
            if place.offset in found.offsets():
                return found
        raise HadronError(f"{_told(place)} is in no chain")

    def _value(self, connection: Connection, place: Place, block: Block) -> bytes:
        table = chains.table_of(place.topic) or ""
        only = Range(place.topic, place.partition, place.offset - 1, place.offset)
        again = list(rereading.slices(connection, table, only, self._codec, self._leaves))
        wanted = block.leaf(list(block.offsets()).index(place.offset))
        found = [leaf for _, leaves in again for leaf in leaves]
        if not found:
            self._demand_kept(place)
        if found != [wanted]:
            raise HadronError(f"the row of {_told(place)} is not what was chained; `hadron verify`")
        with connection.cursor(row_factory=dict_row) as cursor:
            row = cursor.execute(_ROW.format(sql.Identifier(table)), place).fetchone()
        assert row is not None
        return records.value(table, row, self._codec)

    def _demand_kept(self, place: Place) -> None:
        """Raise HadronError if its row went by age: then there is nothing to prove."""
        for anchor in self._anchors:
            for one in anchor.retired:
                pairs = zip(one.runs[::2], one.runs[1::2], strict=True)
                covers = any(first <= place.offset < first + count for first, count in pairs)
                if (one.topic, one.partition) == place[:2] and covers:
                    when = time_of(anchor.at_ns).date()
                    raise HadronError(
                        f"the row of {_told(place)} went with a certificate of {when}, with"
                        f" {one.rows - 1} others of {one.table}; its leaf is still in the chain, so"
                        " the record can be proven where a copy of the log has it"
                    )

    def _anchor(self, place: Place, number: int) -> tuple[HeadsAnchored, int]:
        later = [
            (head.number, one.at_ns, one)
            for one, heads in standing(self._anchors)
            for head in heads
            if (head.topic, head.partition) == place[:2] and head.number >= number
        ]
        if not later:
            raise HadronError(f"nobody has signed {_told(place)} yet; try again after a minute")
        at, _, anchor = min(later, key=lambda one: one[:2])
        return anchor, at

    def _causes(self, connection: Connection, place: Place, prefix: str) -> Iterator[Place]:
        """A place, and those of the facts that led to it, as far as they are stored."""
        at: Place | None = place
        while at is not None:
            table = chains.table_of(at.topic)
            if table is None:
                return
            with connection.cursor(row_factory=dict_row) as cursor:
                row = cursor.execute(_ROW.format(sql.Identifier(table)), at).fetchone()
            if row is None:
                return
            yield at
            cause = row.get("cause_topic")
            if cause is None or table == chains.LETTERS:
                return
            following = Place(cause, row["cause_partition"], row["cause_offset"])
            at = _prefixed(following, prefix)


def _named(asked: str) -> Place | None:
    topic, *numbers = asked.split("/")
    if len(numbers) not in (2, 3) or not all(number.isdecimal() for number in numbers):
        return None
    return Place(topic, int(numbers[0]), int(numbers[1]))


def _prefixed(place: Place, prefix: str) -> Place:
    return place if place.topic.startswith(prefix) else place._replace(topic=prefix + place.topic)


def _told(place: Iterable[object]) -> str:
    return "/".join(map(str, place))
