"""What a superuser may do to stored facts, each with the place at which it must be found."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import psycopg
from psycopg import errors, sql

from connectors.timescale.chain import COLUMNS, entry_of
from connectors.timescale.chain import insert as insert_entries
from connectors.timescale.tables import TABLES
from connectors.timescale.verifying.rereading import Range, slices
from hadron.audit.chain import Block, block
from hadron.audit.leaves import Leaves
from tests.support import codec

Connection = psycopg.Connection[Any]
Found = tuple[str, int, int]
# Which row is meant: a row's own ctid is another's, too, where a table is made of chunks.
WHICH = sql.SQL("concat_ws('/', log_topic, log_partition, log_offset)")
PLACE = {"log_topic", "log_partition", "log_offset"}
# Another value of a type, given the one that is there.
OTHER = {
    "boolean": "NOT coalesce({}, false)",
    "integer": "coalesce({}, 0) + 1",
    "bigint": "coalesce({}, 0) - 1",
    "numeric": "coalesce({}, 0) + 0.00000001",
    "text": "coalesce({}, '') || ' '",
    "json": '(\'{{"x": "y"}}\')::json',
    "bytea": "coalesce({}, '') || '\\x00'",
    "timestamp with time zone": "{} + interval '1 microsecond'",
    "ARRAY": "coalesce({}, '{{}}') || 1",
}
_COLUMNS = """
    SELECT column_name, data_type FROM information_schema.columns WHERE table_name = %s
"""


def unguard(db: Connection) -> None:
    """Switch off what refuses changes: a superuser can."""
    for table in (*TABLES, "audit_chain", "consumer_offsets"):
        db.execute(sql.SQL("ALTER TABLE {} DISABLE TRIGGER ALL").format(sql.Identifier(table)))


def flip(db: Connection, table: str, topic: str, chance: random.Random) -> Found:
    """One column of one row."""
    columns = [one for one in db.execute(_COLUMNS, (table,)) if one[0] not in PLACE]
    row = a_row(db, table, topic, chance)
    while True:
        name, kind = chance.choice(columns)
        other = sql.SQL(OTHER[kind]).format(sql.Identifier(name))
        query = sql.SQL("UPDATE {} SET {} = {} WHERE {} = %s").format(
            sql.Identifier(table), sql.Identifier(name), other, WHICH
        )
        try:
            with db.transaction():
                db.execute(query, (row[0],))
        except (errors.CheckViolation, errors.NumericValueOutOfRange):
            continue
        return topic, row[1], row[2]


def delete(db: Connection, table: str, topic: str, chance: random.Random) -> Found:
    """One row."""
    row = a_row(db, table, topic, chance)
    gone = sql.SQL("DELETE FROM {} WHERE {} = %s").format(sql.Identifier(table), WHICH)
    db.execute(gone, (row[0],))
    return topic, row[1], row[2]


def insert(db: Connection, table: str, topic: str, chance: random.Random) -> Found:
    """A row more: where there is one already, or where none ever was."""
    row = a_row(db, table, topic, chance)
    further = chance.choice([0, 10_000])
    name = sql.Identifier(table)
    db.execute(sql.SQL("CREATE TEMP TABLE more (LIKE {})").format(name))
    copied = sql.SQL("INSERT INTO more SELECT * FROM {} WHERE {} = %s").format(name, WHICH)
    db.execute(copied, row[:1])
    db.execute(
        "UPDATE more SET log_offset = log_offset + %s, at = at + interval '1 second'", (further,)
    )
    db.execute(sql.SQL("INSERT INTO {} SELECT * FROM more").format(sql.Identifier(table)))
    db.execute("DROP TABLE more")
    return topic, row[1], row[2] + further


def swap(db: Connection, table: str, topic: str, chance: random.Random) -> Found:
    """Two rows change places."""
    one = a_row(db, table, topic, chance)
    two = one
    while two[2] == one[2]:
        two = a_row(db, table, topic, chance)
    move = sql.SQL("""
        UPDATE {} SET log_partition = %s, log_offset = %s
        WHERE log_topic = %s AND log_partition = %s AND log_offset = %s
    """).format(sql.Identifier(table))
    for target, source in (((one[1], -1), one[1:]), (one[1:], two[1:]), (two[1:], (one[1], -1))):
        db.execute(move, (*target, topic, *source))
    return (topic, *min(one[1:], two[1:]))


def truncate(db: Connection, table: str, topic: str, chance: random.Random) -> Found:
    """The newest rows, their entries, and the ledger with them."""
    [[last]] = db.execute(
        "SELECT max(number) FROM audit_chain WHERE topic = %s AND partition = 0", (topic,)
    )
    number = chance.randint(0, last)
    [[first]] = db.execute(
        "SELECT first_offset FROM audit_chain WHERE (topic, partition, number) = (%s, 0, %s)",
        (topic, number),
    )
    [[end]] = db.execute(
        "SELECT max(last_offset) FROM audit_chain WHERE topic = %s AND partition = 0", (topic,)
    )
    db.execute(
        "DELETE FROM audit_chain WHERE topic = %s AND partition = 0 AND number >= %s",
        (topic, number),
    )
    gone = sql.SQL("DELETE FROM {} WHERE log_topic = %s AND log_partition = 0 AND log_offset >= %s")
    db.execute(gone.format(sql.Identifier(table)), (topic, first))
    db.execute(
        "UPDATE consumer_offsets SET next_offset = %s WHERE topic = %s AND partition = 0",
        (first, topic),
    )
    return topic, 0, end


def replace(db: Connection, table: str, topic: str, chance: random.Random) -> Found:
    """A partition's rows become those of another."""
    name = sql.Identifier(table)
    db.execute(
        sql.SQL("DELETE FROM {} WHERE log_topic = %s AND log_partition = 0").format(name), (topic,)
    )
    db.execute(
        sql.SQL(
            "UPDATE {} SET log_partition = 0 WHERE log_topic = %s AND log_partition = 1"
        ).format(name),
        (topic,),
    )
    return topic, 0, 0


def drop(db: Connection, table: str, topic: str, chance: random.Random) -> Found:
    """All rows of some time."""
    row = a_row(db, table, topic, chance)
    gone = sql.SQL("""
        WITH chunk AS (SELECT at FROM {table} WHERE {which} = %s)
        DELETE FROM {table} WHERE at >= (SELECT at FROM chunk)
            AND at < (SELECT at FROM chunk) + interval '30 microseconds'
        RETURNING log_topic, log_partition, log_offset
    """).format(table=sql.Identifier(table), which=WHICH)
    return min(tuple(one) for one in db.execute(gone, (row[0],)).fetchall())


def rewrite(db: Connection, table: str, topic: str, chance: random.Random) -> Found:
    """Change a row, and make its chain anew in the same batches."""
    row = a_row(db, "ticks", topic, chance)
    partition = row[1]
    changed = sql.SQL("UPDATE ticks SET sequence = sequence + 1 WHERE {} = %s").format(WHICH)
    db.execute(changed, (row[0],))
    leaves: dict[int, bytes] = {}
    for offsets, again in slices(
        db, "ticks", Range(topic, partition, -1, 2**62), codec(), Leaves(codec().fingerprint)
    ):
        leaves |= dict(zip(offsets, again, strict=True))
    query = f"""
        DELETE FROM audit_chain WHERE topic = %s AND partition = %s
        RETURNING {COLUMNS}, leaves, runs
    """
    old = [
        Block(entry_of(tuple(columns)), known, tuple(runs or ()))
        for *columns, known, runs in db.execute(query, (topic, partition)).fetchall()
    ]
    after = None
    for one in sorted(old, key=lambda each: each.entry.number):
        offsets = list(one.offsets())
        ours = [leaves.get(at, one.leaf(index)) for index, at in enumerate(offsets)]
        made = block(topic, partition, offsets, ours, after=after, at_ns=one.entry.at_ns)
        after = made.entry.head
        insert_entries(db, [made])
    return topic, partition, -1


def a_row(db: Connection, table: str, topic: str, chance: random.Random) -> tuple[Any, int, int]:
    """Any row of a topic that has its record as columns: where it is, partition, offset."""
    query = sql.SQL("""
        SELECT {}, log_partition, log_offset FROM {} WHERE log_topic = %s AND record IS NULL
    """).format(WHICH, sql.Identifier(table))
    found: tuple[Any, int, int] = chance.choice(db.execute(query, (topic,)).fetchall())
    return found


Attack = Callable[[Connection, str, str, random.Random], Found]
ON_ANY_TABLE: tuple[Attack, ...] = (flip, delete, insert)
ON_TICKS: tuple[Attack, ...] = (*ON_ANY_TABLE, swap, truncate, replace, drop, rewrite)
