"""Tables that are not what the log says become it again, while the archive goes on."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
import pytest
from confluent_kafka import TopicPartition

from connectors.kafka import admin
from connectors.local.stack import Endpoints
from connectors.parquet.export import export
from connectors.parquet.manifest import load
from connectors.parquet.spans import Source
from connectors.timescale.access.securing import secured
from connectors.timescale.querying import accounting
from connectors.timescale.rebuilding.rebuild import Rebuilt, Work, only_compare, rebuild
from connectors.timescale.rebuilding.sources import Files, Kafka, Sources
from connectors.timescale.rebuilding.swapping import swap
from connectors.timescale.schema import migrate
from hadron.__main__ import run
from hadron.cli.exits import Exit
from hadron.errors import HadronError
from tests.integration.access import ACCESS, unbelt
from tests.integration.archiving import PARTITIONS, Bench, a_bench, wait_until
from tests.integration.every_fact import a_position
from tests.support import a_decision, a_quote, a_trade, codec

encode = codec().encode
TABLES = ("ticks", "strategy_decisions", "positions", "dead_letters", "audit_chain")


@pytest.fixture
def bench(stack: Endpoints, database: str, unique: str) -> Iterator[Bench]:
    with a_bench(stack.kafka, database, unique) as bench:
        flow(bench)
        with bench.archive():
            wait_until(lambda: bench.stored() == with_values(bench))
        yield bench


def flow(bench: Bench) -> None:
    for partition in range(PARTITIONS):
        ticks = [
            a_trade(f"1{n % 7}.25", raw_offset=n) if n % 3 else a_quote(raw_offset=n)
            for n in range(300)
        ]
        bench.append("ticks.warm", [encode(tick) for tick in ticks], partition)
        bench.append("ticks.warm", [b"junk"], partition)
        bench.append("decisions", [encode(a_decision(offset=n)) for n in range(20)], partition)
    bench.append("positions", [encode(a_position(offset=n)) for n in range(5)])
    bench.append("positions", [None])


def with_values(bench: Bench) -> dict[Any, bytes]:
    """What was produced, but for tombstones, which have no row."""
    return {place: value for place, value in bench.produced.items() if value}


def rows(database: str) -> dict[str, list[Any]]:
    """All rows, in the order of their places."""
    with psycopg.connect(database) as connection:
        return {
            table: connection.execute(f"SELECT t::text FROM {table} AS t ORDER BY 1").fetchall()
            for table in TABLES
        }


def attack(bench: Bench, *statements: str) -> None:
    """As a superuser who takes the seat belt off for it."""
    unbelt(bench.database)
    with psycopg.connect(bench.database) as connection:
        for statement in statements:
            connection.execute(statement)
    secured(bench.database, ACCESS)


def rebuilt(bench: Bench, source: Path | None = None, **more: Any) -> Rebuilt:
    connection = {"bootstrap.servers": bench.settings().kafka}
    kafka = Kafka(connection, admin.connect(connection), PARTITIONS)
    files = Files(source, load(source)) if source else None
    work = Work(bench.database, Sources(kafka, files), bench.topics, codec(), bench.counts)
    return rebuild(work, **more)


def exported(bench: Bench, directory: Path) -> Path:
    connection = {"bootstrap.servers": bench.settings().kafka}
    source = Source(connection, admin.connect(connection), lambda _: None)
    export(source, directory, list(bench.topics))
    return directory


def delete_before(bench: Bench, topic: str, offset: int) -> None:
    place = TopicPartition(bench.prefix + topic, 0, offset)
    client = admin.connect({"bootstrap.servers": bench.settings().kafka})
    client.delete_records([place])[place].result(30)


def test_tables_that_are_what_the_log_says_are_left_alone(bench: Bench) -> None:
    before = rows(bench.database)

    found = rebuilt(bench)

    assert found.same
    assert found.tables == {}
    assert found.rows == len(with_values(bench))
    assert all(one.live == one.rebuilt and one.past == one.end for one in found.partitions)
    assert rows(bench.database) == before


DAMAGE = {
    "a column": "UPDATE ticks SET price = price + 1 WHERE log_partition = 1 AND log_offset = 7",
    "its bytes": "UPDATE dead_letters SET value = 'other' WHERE log_partition = 0",
    "a scale": "UPDATE ticks SET price_scale = price_scale + 1 WHERE log_offset = 4",
    "json text": """UPDATE strategy_decisions SET evidence = '{"a": "2"}' WHERE log_offset = 3""",
    "a row less": "DELETE FROM ticks WHERE log_offset = 299",
    "all rows": "TRUNCATE ticks, strategy_decisions, dead_letters, positions",
}
DAMAGE["a row more"] = """
    CREATE TEMPORARY TABLE more AS SELECT * FROM ticks WHERE log_offset = 5 AND log_partition = 0;
    UPDATE more SET log_offset = 250, at = at + interval '1 day';
    INSERT INTO ticks SELECT * FROM more
"""


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_told_and_mended(bench: Bench, damage: str) -> None:
    before = rows(bench.database)
    attack(bench, DAMAGE[damage])
    damaged = rows(bench.database)
    assert damaged != before

    compared = rebuilt(bench, then=only_compare)
    assert rows(bench.database) == damaged
    found = rebuilt(bench)

    assert not compared.same
    assert compared.partitions == found.partitions
    assert rows(bench.database) == before
    assert rebuilt(bench).same


def test_an_empty_database_is_filled_and_the_archive_goes_on(bench: Bench) -> None:
    before = rows(bench.database)
    ledger = accounting.offsets(bench.database)
    emptied(bench)

    found = rebuilt(bench)
    after = rows(bench.database)
    bench.append("ticks.warm", [encode(a_trade(raw_offset=n)) for n in range(300, 400)])
    with bench.archive():
        wait_until(lambda: bench.stored() == with_values(bench))

    assert found.rows == len(with_values(bench)) - 100
    assert {name: table for name, table in after.items() if name != "audit_chain"} == {
        name: table for name, table in before.items() if name != "audit_chain"
    }
    assert (
        ledger.items()
        <= {
            **accounting.offsets(bench.database),
            (f"{bench.prefix}ticks.warm", 0): 301,
        }.items()
    )
    assert rebuilt(bench).same


def emptied(bench: Bench) -> None:
    attack(bench, "DROP SCHEMA public CASCADE", "CREATE SCHEMA public")
    migrate(bench.database)


def test_an_archive_that_begins_while_an_empty_database_is_filled_goes_on_behind(
    bench: Bench,
) -> None:
    emptied(bench)
    begun: list[str] = []

    with ExitStack() as stack:

        def begin(partition: str, *_: int) -> None:
            if not begun:
                bench.append("ticks.warm", [encode(a_trade(raw_offset=n)) for n in range(10)])
                stack.enter_context(bench.archive())
            begun.append(partition)

        found = rebuilt(bench, progress=begin)
        wait_until(lambda: bench.stored() == with_values(bench))

    assert found.tables["ticks"].inserted == 300 * PARTITIONS
    assert rebuilt(bench).same


def test_a_rebuild_that_fails_leaves_an_empty_database_empty(bench: Bench) -> None:
    before = rows(bench.database)
    emptied(bench)

    def fail(topic: str, *_: int) -> None:
        if topic.startswith(f"{bench.prefix}positions"):
            raise HadronError("enough")

    with pytest.raises(HadronError, match="enough"):
        rebuilt(bench, progress=fail)
    left = rows(bench.database)
    ledger = accounting.offsets(bench.database)
    rebuilt(bench)

    assert (left, ledger) == ({name: [] for name in TABLES}, {})
    after = rows(bench.database)
    assert {name: after[name] for name in TABLES[:-1]} == {n: before[n] for n in TABLES[:-1]}


def test_the_archive_goes_on_meanwhile_and_nothing_is_lost_or_doubled(bench: Bench) -> None:
    attack(bench, "DELETE FROM ticks WHERE log_offset % 2 = 0", DAMAGE["its bytes"])
    stop = threading.Event()

    def produce() -> None:
        number = 300
        while not stop.is_set():
            values = [encode(a_trade(raw_offset=number + n)) for n in range(50)]
            bench.append("ticks.warm", values, number % PARTITIONS)
            number += 51

    with bench.archive():
        producer = threading.Thread(target=produce)
        producer.start()
        try:
            found = [rebuilt(bench) for _ in range(3)]
        finally:
            stop.set()
            producer.join(60)
        wait_until(lambda: bench.stored() == with_values(bench))

    assert [one.same for one in found] == [False, True, True]
    assert len(bench.produced) > 700


def test_what_kafka_has_deleted_is_named_and_comes_from_files(bench: Bench, tmp_path: Path) -> None:
    before = rows(bench.database)
    directory = exported(bench, tmp_path)
    delete_before(bench, "ticks.warm", 100)
    attack(bench, DAMAGE["all rows"])

    with pytest.raises(HadronError, match=r"deleted 0 to 100 of .*ticks\.warm/0; give --from"):
        rebuilt(bench)
    found = rebuilt(bench, directory)

    assert not found.same
    assert rows(bench.database) == before


def test_what_nobody_has_any_more_is_refused(bench: Bench, tmp_path: Path) -> None:
    directory = exported(bench, tmp_path)
    bench.append("ticks.warm", [encode(a_trade(raw_offset=n)) for n in range(300, 320)])
    delete_before(bench, "ticks.warm", 310)

    with pytest.raises(HadronError, match=r"301 to 310 of .*ticks\.warm/0 are neither in the"):
        rebuilt(bench, directory)


def test_rows_of_records_that_compaction_took_stay(bench: Bench, tmp_path: Path) -> None:
    # given an export that, as after compaction, has only the last of the five positions
    before = rows(bench.database)
    directory = exported(bench, tmp_path)
    compacted(directory, bench.prefix + "positions", keep=4)
    attack(bench, "UPDATE positions SET realised = 7 WHERE log_offset = 4")

    found = rebuilt(bench, directory)

    [changed] = found.tables.values()
    assert (changed.deleted, changed.inserted) == (1, 1)
    assert rows(bench.database) == before


def compacted(directory: Path, topic: str, *, keep: int) -> None:
    """Leave one record of a partition in an export."""
    from connectors.parquet.day import DayFile, number_of, rows
    from connectors.parquet.manifest import save

    manifest = load(directory)
    [day] = manifest.of(topic, 0)
    file = DayFile(directory, topic, 0, number_of(day.day))
    for row in rows(directory / day.path):
        if row.offset == keep:
            file.add(row)
    manifest.files = [file.finish() if one == day else one for one in manifest.files]
    save(directory, manifest)


def test_an_archive_that_begins_at_the_same_time_stops_the_rebuild(bench: Bench) -> None:
    emptied(bench)

    def begun_meanwhile(*arguments: Any) -> Any:
        with bench.archive():
            wait_until(lambda: bench.stored() == with_values(bench))
        return swap(*arguments)

    with pytest.raises(HadronError, match="nothing was changed, run it again"):
        rebuilt(bench, then=begun_meanwhile)

    assert bench.stored() == with_values(bench)


def test_the_command_names_tables_and_says_what_it_changed(
    bench: Bench, capsys: pytest.CaptureFixture[str], unique: str
) -> None:
    environ = bench.environment | {"HADRON_NUM_SHARDS": str(PARTITIONS)}
    prefix = {"HADRON_PREFIX": environ["HADRON_PREFIX"]}
    attack(bench, "DELETE FROM strategy_decisions WHERE log_offset < 5")

    def told(*arguments: str, code: Exit = Exit.OK) -> Any:
        capsys.readouterr()
        assert run(["rebuild", *arguments, "--json"], environ | prefix) == code
        return json.loads(capsys.readouterr().out)

    table = ("--table", "strategy_decisions")
    compared = told(*table, "--compare", code=Exit.CHECK_FAILED)
    found = told(*table)
    again = told(*table, "--compare")

    assert not compared["same"]
    assert compared["tables"] == {}
    assert {one["topic"] for one in found["partitions"]} == {f"{bench.prefix}decisions"}
    assert found["tables"]["strategy_decisions"]["inserted"] == 40
    assert again["same"]
    assert run(["rebuild", "--table", "nonsense"], environ) == Exit.USAGE
