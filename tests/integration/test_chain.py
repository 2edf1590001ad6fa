"""Whatever the archive stores is chained with it, once, in the order of the log."""

from __future__ import annotations

import random
from collections.abc import Iterator

import psycopg
import pytest

from connectors.local.stack import Endpoints
from connectors.timescale.chain import COLUMNS, entry_of
from hadron.audit.chain import FIRST_PREVIOUS, Block
from hadron.audit.leaves import Leaves, tombstone
from hadron.audit.merkle import root
from tests.integration import every_fact
from tests.integration.access import unbelt
from tests.integration.archiving import PARTITIONS, Bench, Place, a_bench, wait_until
from tests.support import T0_NS, a_decision, a_fill, a_trade, codec

encode = codec().encode


@pytest.fixture
def bench(stack: Endpoints, database: str, unique: str) -> Iterator[Bench]:
    with a_bench(stack.kafka, database, unique) as bench:
        yield bench


def trades(count: int, first: int = 0) -> list[bytes]:
    return [encode(a_trade(raw_offset=n, at_ns=T0_NS + n)) for n in range(first, first + count)]


def chained(bench: Bench) -> dict[Place, bytes]:
    """Every leaf by its place; fails where a chain is not whole."""
    query = f"SELECT {COLUMNS}, hash, leaves, runs FROM audit_chain ORDER BY 1, 2, 3"
    found: dict[Place, bytes] = {}
    heads: dict[tuple[str, int], bytes] = {}
    with psycopg.connect(bench.database) as connection:
        for *columns, hash_, leaves, runs in connection.execute(query):
            one = Block(entry_of(tuple(columns)), leaves, tuple(runs or ()))
            entry = one.entry
            assert entry.hash == hash_
            assert entry.root == root(leaves)
            assert entry.previous == heads.get((entry.topic, entry.partition), FIRST_PREVIOUS)
            heads[entry.topic, entry.partition] = hash_
            for index, offset in enumerate(one.offsets()):
                assert (entry.topic, entry.partition, offset) not in found
                found[entry.topic, entry.partition, offset] = one.leaf(index)
    return found


def of_produced(bench: Bench) -> dict[Place, bytes]:
    leaves = Leaves(codec().fingerprint)
    return {place: leaves.record(*place, value) for place, value in bench.produced.items()}


def test_every_stored_record_is_chained_with_its_place_and_its_bytes(bench: Bench) -> None:
    for topic, facts in every_fact.by_topic().items():
        bench.append(topic, [encode(fact) for fact in facts])

    with bench.archive():
        wait_until(lambda: len(bench.stored()) == len(bench.produced))

    expected, found = of_produced(bench), chained(bench)
    # Those with a NUL in a text have a dead letter in place of a row.
    different = {place for place in expected if found[place] != expected[place]}
    with psycopg.connect(bench.database) as connection:
        query = "SELECT log_topic, log_partition, log_offset FROM dead_letters WHERE process = %s"
        letters = set(connection.execute(query, ("archive",)))
    assert found.keys() == expected.keys()
    assert different == letters


def test_what_has_no_row_is_chained_too(bench: Bench) -> None:
    position = encode(every_fact.a_position())
    bench.append("positions", [position, None, position])
    bench.append("ticks.warm", [encode(a_trade()), b"junk", encode(a_decision())])

    with bench.archive():
        wait_until(lambda: len(chained(bench)) == 6)

    found = chained(bench)
    gone = (f"{bench.prefix}positions", 0, 1)
    assert found[gone] == tombstone(*gone)
    assert len(set(found.values())) == 6


def test_what_is_read_twice_is_chained_once(bench: Bench) -> None:
    bench.append("ticks.fast", trades(300))
    with bench.archive():
        wait_until(lambda: bench.rows() == 300)
    before = chained(bench)
    unbelt(bench.database)
    with psycopg.connect(bench.database) as connection:
        connection.execute("TRUNCATE ticks")
        connection.execute("UPDATE consumer_offsets SET next_offset = 0 WHERE next_offset = 300")
    bench.append("ticks.fast", trades(50, 300))

    with bench.archive():
        wait_until(lambda: bench.rows() == 350)

    assert chained(bench) == of_produced(bench)
    assert before.items() <= chained(bench).items()


def test_kills_and_rivals_leave_one_whole_chain(bench: Bench) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")  # noqa: T201
    chance = random.Random(seed)
    for round_ in range(3):
        for partition in range(PARTITIONS):
            bench.append("ticks.fast", trades(3_000, 6_000 * round_), partition)
        bench.append("orders", [encode(a_fill(offset=round_))])
        target = bench.rows() + chance.randrange(1, 3_000)
        archive = bench.archive_process(group=f"killed-{round_}")
        try:
            wait_until(lambda: bench.rows() >= target)  # noqa: B023
        finally:
            archive.kill()
            archive.wait()

    with bench.archive(group="one"), bench.archive(group="other"):
        wait_until(lambda: bench.rows() + bench.rows("order_executions") >= len(bench.produced))

    assert bench.stored() == bench.produced
    assert chained(bench) == of_produced(bench)
