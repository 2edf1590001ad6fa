"""The archive on real Kafka and PostgreSQL: each record once, whatever is killed or stopped."""

from __future__ import annotations

import time
from collections.abc import Iterator

import psycopg
import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from connectors.kafka import admin, groups
from connectors.kafka.connection import configuration
from connectors.local import postgres
from connectors.local.stack import Endpoints
from connectors.timescale.archiving import process
from connectors.timescale.archiving.archive import MOST_ROWS
from hadron import metrics
from hadron.errors import HadronError, PoisonLimitReached
from tests.integration import every_fact
from tests.integration.archiving import PARTITIONS, Bench, a_bench, wait_until
from tests.soak import trials
from tests.soak.flow import own_server, seeded
from tests.support import T0_NS, a_decision, a_trade, codec

encode = codec().encode


@pytest.fixture
def bench(stack: Endpoints, database: str, unique: str) -> Iterator[Bench]:
    with a_bench(stack.kafka, database, unique) as bench:
        yield bench


def trades(count: int, first: int = 0) -> list[bytes]:
    return [encode(a_trade(raw_offset=n, at_ns=T0_NS + n)) for n in range(first, first + count)]


def test_the_hundredth_row_is_written_at_once(bench: Bench) -> None:
    with bench.archive(batch_rows="100", batch_s="5"):
        bench.append("ticks.fast", trades(100))
        wait_until(lambda: bench.rows() == 100)
        began = time.monotonic()

        bench.append("ticks.fast", trades(100, 100))

        wait_until(lambda: bench.rows() == 200)
        assert time.monotonic() - began < 5


def test_a_single_row_is_written_when_its_time_has_come(bench: Bench) -> None:
    with bench.archive(batch_rows="100000", batch_s="0.2"):
        bench.append("ticks.fast", trades(1))

        wait_until(lambda: bench.rows() == 1)


def test_the_last_rows_before_a_quiet_hour_are_committed_too(bench: Bench) -> None:
    kafka, group = admin.connect(configuration(bench.settings())), bench.prefix + process.GROUP

    # Two batches within the second in which people are told but once.
    with bench.archive(batch_rows="100", batch_s="5"):
        bench.append("ticks.fast", trades(100))
        wait_until(lambda: bench.rows() == 100)
        bench.append("ticks.fast", trades(100, 100))
        wait_until(lambda: bench.rows() == 200)

        place = (bench.prefix + "ticks.fast", 0)
        wait_until(lambda: groups.committed(kafka, group).get(place) == 200)


def test_a_stop_stores_what_was_read(bench: Bench) -> None:
    bench.append("ticks.cold", trades(10))

    with bench.archive(batch_rows="100000", batch_s="5"):
        wait_until(lambda: bench.counts.counted.get(metrics.RECORDS_IN) == 10)

    assert bench.stored() == bench.produced


def test_every_row_gives_back_the_bytes_on_the_log(bench: Bench) -> None:
    for topic, facts in every_fact.by_topic().items():
        bench.append(topic, [encode(fact) for fact in facts])

    with bench.archive():
        wait_until(lambda: len(bench.stored()) == len(bench.produced))

    assert bench.stored() == bench.produced
    with psycopg.connect(bench.database) as connection:
        kept = connection.execute("SELECT count(*) FROM ticks WHERE record IS NOT NULL")
        assert kept.fetchone() == (len(every_fact.UNHOLDABLE),)


def test_what_cannot_be_read_is_a_dead_letter_with_its_bytes(bench: Bench) -> None:
    tick, decision = encode(a_trade()), encode(a_decision())
    bench.append("ticks.warm", [tick, b"junk", None, tick[:-3], decision, tick])

    with bench.archive():
        wait_until(lambda: len(bench.stored()) == 6)

    assert bench.stored() == bench.produced
    assert (bench.rows("ticks"), bench.rows("dead_letters")) == (2, 4)
    assert bench.counts.counted[metrics.POISONED] == 4


def test_a_hundred_unreadable_records_in_a_row_stop_it(bench: Bench) -> None:
    bench.append("orders", [b"junk"] * 100)

    with pytest.raises(PoisonLimitReached, match="orders/0/99"), bench.archive() as archive:
        wait_until(lambda: not archive.is_alive())


def test_a_tombstone_of_a_compacted_topic_is_passed_over(bench: Bench) -> None:
    position = encode(every_fact.a_position())
    bench.append("positions", [position, None, position])

    with bench.archive():
        wait_until(lambda: bench.rows("positions") == 2)

    assert bench.rows("dead_letters") == 0


def test_records_that_were_deleted_before_they_were_stored_stop_it(bench: Bench) -> None:
    bench.append("ticks.fast", trades(10))
    with bench.archive():
        wait_until(lambda: bench.rows() == 10)
    bench.append("ticks.fast", trades(10, 10))
    admin = AdminClient({"bootstrap.servers": bench.environment["HADRON_KAFKA"]})
    place = TopicPartition(f"{bench.prefix}ticks.fast", 0, 15)
    admin.delete_records([place])[place].result(30)

    with pytest.raises(HadronError, match="deleted before"), bench.archive() as archive:
        wait_until(lambda: not archive.is_alive())


def test_killed_at_any_moment_it_loses_and_doubles_nothing(bench: Bench) -> None:
    trials.killed_archive(bench, times=5, most=6_000, chance=seeded(None))


def test_two_archives_that_both_own_all_partitions_double_nothing(bench: Bench) -> None:
    with bench.archive(group="one"), bench.archive(group="other"):
        for round_ in range(20):
            bench.append("ticks.fast", trades(500, 500 * round_), round_ % PARTITIONS)
        wait_until(lambda: bench.rows() >= 10_000)

    assert bench.stored() == bench.produced


def test_two_archives_of_one_group_share_the_work(bench: Bench) -> None:
    with bench.archive():
        bench.append("ticks.fast", trades(2_000), 0)
        wait_until(lambda: bench.rows() > 0)
        with bench.archive():
            for round_ in range(10):
                bench.append("ticks.fast", trades(500, 500 * round_), round_ % PARTITIONS)
            wait_until(lambda: bench.rows() >= 7_000)
        bench.append("ticks.fast", trades(500, 9_000), 1)
        wait_until(lambda: bench.rows() >= 7_500)

    assert bench.stored() == bench.produced


def test_a_database_that_goes_away_costs_nothing(stack: Endpoints, unique: str) -> None:
    with (
        own_server() as server,
        a_bench(stack.kafka, postgres.start(server), unique) as bench,
        bench.archive(),
    ):
        bench.append("ticks.fast", trades(2_000))
        wait_until(lambda: bench.rows() > 0)

        postgres.stop(server)
        for round_ in range(1, 9):  # more than may wait in memory
            bench.append("ticks.fast", trades(2_000, 2_000 * round_), round_ % PARTITIONS)
        wait_until(lambda: bench.counts.gauged[metrics.ARCHIVE_UP] == 0)
        wait_until(lambda: bench.counts.counted[metrics.RECORDS_IN] > MOST_ROWS)
        assert bench.counts.counted[metrics.RECORDS_IN] <= 2_000 + 2 * MOST_ROWS
        postgres.start(server)

        wait_until(lambda: bench.rows() >= 18_000)
        assert bench.counts.gauged[metrics.ARCHIVE_UP] == 1
        assert [one for one in bench.alarms.changes if one[0] != "slow"] == [
            ("database", True),
            ("database", False),
        ]
        assert bench.stored() == bench.produced
