"""Rows that are there already: passed over, none lost, and straight in again once past them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from connectors.local.stack import Endpoints
from connectors.timescale import ticks
from connectors.timescale.archiving import copying, process
from connectors.timescale.archiving.batch import Batch
from connectors.timescale.archiving.store import OffsetsMoved, Store, Written
from connectors.timescale.layout import Place
from connectors.timescale.schema import migrate
from connectors.timescale.tables import LAYOUTS, row
from connectors.timescale.ticks import Prices, TickRows
from hadron.audit.leaves import SIZE as SIZE_OF_LEAF
from hadron.settings import settings_from
from tests.integration import native
from tests.integration.access import ACCESS, databases, unbelt
from tests.integration.archiving import PARTITIONS, Bench, a_bench, wait_until
from tests.integration.every_fact import a_dismissal, a_rejected_intent, by_topic
from tests.integration.inserting import insert
from tests.support import T0_NS, a_trade, an_approved_intent, codec

TOPIC = "ticks.fast"
SIZE = 10  # rows of a batch
encode = codec().encode


class Shelf:
    """A store of a migrated database, and the batches that a test writes to it."""

    def __init__(self, url: str, store: Store) -> None:
        self.url, self.store = url, store
        self._rows = [TickRows(TOPIC, partition, codec(), Prices()) for partition in range(2)]

    def write(self, first: int, past: int, partition: int = 0) -> Written:
        """Write the trades at these offsets of a partition as one batch."""
        return self.store.write(self.batch(first, past, partition))

    def batch(self, first: int, past: int, partition: int = 0) -> Batch:
        batch = Batch()
        batch.expected = {(TOPIC, partition): first}
        batch.next = {(TOPIC, partition): past}
        rows = batch.of(ticks.LAYOUT)
        for offset in range(first, past):
            trade = a_trade(raw_offset=offset, raw_partition=partition, at_ns=T0_NS + offset)
            rows.rows.append(self._rows[partition].row(trade, offset, encode(trade)))
            rows.messages.append(None)
            batch.leaves[TOPIC, partition][offset] = offset.to_bytes(SIZE_OF_LEAF)
        return batch

    def start(self, *partitions: int) -> list[int]:
        """Read the offsets as an archive does that gets these partitions."""
        places = [(TOPIC, partition) for partition in partitions or (0,)]
        known = self.store.offsets(places)
        if new := {place: 0 for place in places if place not in known}:
            self.store.begin(new)
        found = self.store.offsets(places)
        return [found[place] for place in places]

    def rewind(self, to: int) -> None:
        self.execute(f"UPDATE consumer_offsets SET next_offset = {to}")

    def execute(self, statement: str) -> None:
        with psycopg.connect(self.url) as connection:
            connection.execute(statement.encode())

    def offsets(self, partition: int = 0) -> list[int]:
        query = "SELECT log_offset FROM ticks WHERE log_partition = %s ORDER BY 1"
        with psycopg.connect(self.url) as connection:
            return [offset for (offset,) in connection.execute(query, (partition,))]


@pytest.fixture
def shelf(database: str) -> Iterator[Shelf]:
    migrate(database, access=ACCESS)
    with a_store(database) as store:
        yield Shelf(database, store)


@contextmanager
def a_store(url: str) -> Iterator[Store]:
    """As the sink, which may not read what it passes over."""
    settings = settings_from({"HADRON_KAFKA": "unused:1", **databases(url)})
    pool = process.pool_of(settings)
    pool.open()
    try:
        yield Store(pool, codec())
    finally:
        pool.close()


def test_batches_go_straight_where_the_chain_is_not_past_the_offsets(shelf: Shelf) -> None:
    shelf.start()

    ways = [shelf.write(0, 10).way, shelf.write(10, 20).way]
    assert shelf.start() == [20]
    ways.append(shelf.write(20, 21).way)
    shelf.rewind(20)
    assert shelf.start() == [20]

    assert ways == ["straight"] * 3
    assert shelf.write(20, 22) == Written({"ticks": 1}, 1, "checked")


def test_rows_that_neither_ledger_nor_chain_knows_are_met_and_passed_over(shelf: Shelf) -> None:
    shelf.start()
    shelf.write(0, 10)
    unbelt(shelf.url)
    shelf.execute("DELETE FROM consumer_offsets; DELETE FROM audit_chain")

    assert shelf.start() == [0]
    written = [shelf.write(0, 15), shelf.write(15, 20), shelf.write(20, 25)]

    assert [one.repeated for one in written] == [10, 0, 0]
    assert [one.way for one in written] == ["checked", "checked", "straight"]
    assert shelf.offsets() == list(range(25))


@pytest.mark.parametrize("back", [1, SIZE - 1, SIZE, SIZE + 1, 2 * SIZE + 5, 3 * SIZE])
def test_a_rewind_doubles_nothing_and_ends_with_the_first_new_batch(
    shelf: Shelf, back: int
) -> None:
    shelf.start()
    end = 3 * SIZE
    for first in range(0, end, SIZE):
        shelf.write(first, first + SIZE)
    shelf.rewind(end - back)

    [at] = shelf.start()
    written = []
    while at < end + 3 * SIZE:
        written.append(shelf.write(at, at + SIZE))
        at += SIZE

    assert at - SIZE * len(written) == end - back
    assert shelf.offsets() == list(range(at))
    assert sum(one.repeated for one in written) == back
    checked = [one.way == "checked" for one in written]
    repeating = -(-back // SIZE)
    assert checked == [True] * (repeating + 1) + [False] * (len(written) - repeating - 1)


def test_a_ledger_that_is_deleted_under_a_running_store_begins_anew_and_doubles_nothing(
    shelf: Shelf,
) -> None:
    shelf.start()
    shelf.write(0, 10)
    shelf.write(10, 20)
    shelf.execute("DELETE FROM consumer_offsets")

    with pytest.raises(OffsetsMoved):
        shelf.write(20, 30)

    assert shelf.start() == [0]
    written = [shelf.write(0, 15), shelf.write(15, 30), shelf.write(30, 40), shelf.write(40, 50)]
    assert [one.repeated for one in written] == [15, 5, 0, 0]
    assert [one.way for one in written] == ["checked"] * 3 + ["straight"]
    assert shelf.offsets() == list(range(50))


def test_a_straight_batch_that_meets_rows_is_checked_as_a_whole(shelf: Shelf) -> None:
    shelf.start()
    for first in range(0, 40, 10):
        shelf.write(first, first + 10)
    unbelt(shelf.url)
    shelf.execute("DELETE FROM ticks WHERE log_offset < 25")  # a hole, and rows behind it
    shelf.rewind(0)
    shelf.start()

    written = [shelf.write(first, first + 10) for first in range(0, 60, 10)]

    assert [one.way for one in written] == [
        "checked",  # after the start
        "straight",  # in the hole
        "checked",  # half of it is there
        "checked",
        "checked",  # the first that is new
        "straight",
    ]
    assert [one.repeated for one in written] == [0, 0, 5, 10, 0, 0]
    assert shelf.offsets() == list(range(60))


def test_a_partition_that_repeats_makes_no_other_one_repeat(shelf: Shelf) -> None:
    shelf.start(0, 1)
    for partition in (0, 1):
        shelf.write(0, 10, partition)
        shelf.write(10, 20, partition)
    shelf.execute("UPDATE consumer_offsets SET next_offset = 0 WHERE partition = 1")
    shelf.start(1)

    ways = [shelf.write(20, 30).way, shelf.write(0, 20, 1).way, shelf.write(30, 40).way]
    both = shelf.batch(40, 50)
    other = shelf.batch(20, 30, 1)
    both.expected |= other.expected
    both.next |= other.next
    both.leaves |= other.leaves
    both.of(ticks.LAYOUT).rows += other.of(ticks.LAYOUT).rows
    both.of(ticks.LAYOUT).messages += other.of(ticks.LAYOUT).messages

    assert ways == ["straight", "checked", "straight"]
    assert shelf.store.write(both).way == "checked"
    assert shelf.write(50, 60).way == shelf.write(30, 40, 1).way == "straight"
    assert (shelf.offsets(0), shelf.offsets(1)) == (list(range(60)), list(range(40)))


def test_kinds_that_share_a_table_are_staged_apart(shelf: Shelf) -> None:
    place = ("intents", 0)
    facts: list[Any] = [an_approved_intent(), a_rejected_intent(), a_dismissal()]
    for _ in range(2):
        shelf.store.begin({place: 0})
        shelf.store.offsets([place])
        batch = Batch()
        batch.expected, batch.next = {place: 0}, {place: len(facts)}
        for offset, fact in enumerate(facts):
            rows = batch.of(LAYOUTS[type(fact)])
            rows.rows.append(row(fact, Place("intents", 0, offset), encode(fact), codec()))
            rows.messages.append(None)
        written = shelf.store.write(batch)
        shelf.rewind(0)

    assert written == Written({"order_intents": 0}, 3, "checked")


def test_rows_of_compressed_chunks_are_passed_over_too(new_timescaledb: native.New) -> None:
    facts = [a_trade(raw_offset=n, at_ns=T0_NS + n) for n in range(5)]
    names = ", ".join(ticks.COLUMNS)

    with new_timescaledb() as url:
        migrate(url)
        insert(url, facts)
        # All connections share one session there, prepared statements and all; it has no COPY.
        with psycopg.connect(url, prepare_threshold=None) as connection:
            connection.execute("SELECT compress_chunk(chunk) FROM show_chunks('ticks') AS chunk")
            staged = copying.staging(connection, ticks.LAYOUT)
            again = f"INSERT INTO staged_ticks ({names}) SELECT {names} FROM ticks"
            connection.execute(again.encode())
            connection.execute("UPDATE staged_ticks SET log_offset = 7 WHERE log_offset = 3")
            written = copying.unstage(connection, ticks.LAYOUT, staged)
            found = connection.execute("SELECT log_offset FROM ticks ORDER BY 1").fetchall()

    assert written == 1
    assert found == [(offset,) for offset in (0, 1, 2, 3, 4, 7)]


@pytest.fixture
def bench(stack: Endpoints, database: str, unique: str) -> Iterator[Bench]:
    with a_bench(stack.kafka, database, unique) as bench:
        yield bench


def everything(bench: Bench) -> None:
    for topic, facts in by_topic().items():
        bench.append(topic, [encode(fact) for fact in facts])
    for partition in range(PARTITIONS):
        bench.append(TOPIC, trades(range(3_000)), partition)


def trades(numbers: Iterable[int]) -> list[bytes]:
    return [encode(a_trade(raw_offset=n, at_ns=T0_NS + n)) for n in numbers]


@pytest.mark.parametrize(
    "tampered",
    [
        "DELETE FROM consumer_offsets",
        "UPDATE consumer_offsets SET next_offset = 0",
        "UPDATE consumer_offsets SET next_offset = greatest(0, next_offset - 1)",
        "UPDATE consumer_offsets SET next_offset = next_offset / 2",
    ],
)
def test_offsets_that_are_tampered_with_while_it_runs_double_and_lose_nothing(
    bench: Bench, tampered: str
) -> None:
    everything(bench)
    with bench.archive():
        wait_until(lambda: len(bench.stored()) == len(bench.produced))
        with psycopg.connect(bench.database) as connection:
            connection.execute(tampered.encode())
        bench.append(TOPIC, trades(range(3_000, 6_000)))
        wait_until(lambda: len(bench.stored()) == len(bench.produced))
        for first in range(6_000, 9_000, 1_000):
            bench.append(TOPIC, trades(range(first, first + 1_000)))
            wait_until(lambda: len(bench.stored()) == len(bench.produced))

    assert bench.stored() == bench.produced


def test_a_restart_on_offsets_that_were_deleted_stores_everything_once(bench: Bench) -> None:
    everything(bench)
    with bench.archive():
        wait_until(lambda: len(bench.stored()) == len(bench.produced))
    with psycopg.connect(bench.database) as connection:
        connection.execute("DELETE FROM consumer_offsets")

    with bench.archive():
        bench.append(TOPIC, trades(range(3_000, 3_100)))
        wait_until(lambda: len(bench.stored()) == len(bench.produced))

    assert bench.stored() == bench.produced
