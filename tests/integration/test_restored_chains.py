"""After the database is lost, what is restored is compared with what was signed before."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from connectors import anchors, signing
from connectors.local.stack import Endpoints
from connectors.timescale.schema import migrate
from hadron.__main__ import run
from hadron.cli.exits import Exit
from hadron.topics import ANCHORS, FILLER
from tests.integration import attacks, every_fact
from tests.integration.access import ACCESS, an_empty_database, databases
from tests.integration.archiving import Bench, a_bench, wait_until
from tests.integration.making_topics import make_topics
from tests.support import T0_NS, a_trade, codec

encode = codec().encode
BEFORE, BEHIND, DELETED = 40, 15, 7


@pytest.fixture
def bench(stack: Endpoints, database: str, unique: str, tmp_path: Path) -> Iterator[Bench]:
    """What was stored and exported; the log has lost some of it before, and got more since."""
    signing.create(tmp_path / "anchor.pem")
    settings = {
        "anchor_key_file": str(tmp_path / "anchor.pem"),
        "anchor_file": str(tmp_path / "anchors.jsonl"),
        "num_shards": "2",
    }
    admin = AdminClient({"bootstrap.servers": stack.kafka})
    with a_bench(stack.kafka, database, unique, **settings) as bench:
        topic = bench.prefix + ANCHORS.name
        make_topics(admin, NewTopic(topic, 1, 1))
        bench.append("positions", [encode(every_fact.a_position()), None])
        bench.append("ticks.warm", [b"junk", encode(a_trade())])
        archived(bench, 0, BEFORE)
        deleted = TopicPartition(f"{bench.prefix}ticks.fast", 0, DELETED)
        admin.delete_records([deleted])[deleted].result(30)
        names = [f"--topic={bench.prefix}{one}" for one in ("ticks.fast", "ticks.warm")]
        names.append(f"--topic={bench.prefix}positions")
        export = ["archive", "export", "--to", str(tmp_path / "export"), *names]
        assert run(export, bench.environment) == Exit.OK
        assert run(["archive", "check", str(tmp_path / "export")], {}) == Exit.OK
        archived(bench, BEFORE, BEHIND)
        yield bench
        admin.delete_topics([topic])[topic].result(30)


def archived(bench: Bench, first: int, count: int) -> None:
    for partition in (0, 1):
        ticks = [a_trade(raw_offset=n, at_ns=T0_NS + n) for n in range(first, first + count)]
        bench.append("ticks.fast", [encode(one) for one in ticks], partition)
    with bench.archive():
        wait_until(lambda: bench.rows() == 2 * (first + count) + 1)


@contextmanager
def another(bench: Bench, stack: Endpoints) -> Iterator[tuple[str, dict[str, str]]]:
    """A new database, and the environment of commands on it."""
    with an_empty_database(stack.database) as url:
        migrate(url, access=ACCESS)
        yield url, bench.environment | databases(url)


def told(capsys: pytest.CaptureFixture[str], environ: dict[str, str], *command: str) -> Any:
    capsys.readouterr()
    code = run([*command, "--json"], environ)
    out, err = capsys.readouterr()
    assert code in (Exit.OK, Exit.CHECK_FAILED), err
    return json.loads(out)


def count(url: str, table: str = "ticks") -> int:
    with psycopg.connect(url) as connection:
        [(found,)] = connection.execute(f"SELECT count(*) FROM {table}").fetchall()
    return int(found)


def test_a_new_database_goes_on_with_the_chains_of_the_lost_one(
    bench: Bench, stack: Endpoints, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chains = ["archive", "chains", "--from", str(tmp_path / "export")]
    with another(bench, stack) as (url, environ):
        found = told(capsys, environ, *chains)
        with bench.archive(database=environ["HADRON_DATABASE"]):
            wait_until(lambda: count(url) == 2 * (BEFORE + BEHIND) - DELETED + 1)
        verified = told(capsys, environ, "verify", "--deep")

        assert found["given_up"] == 2  # the heads that were signed behind the export
        assert found["certified"] == DELETED
        assert (verified["broken"], verified["notes"]) == ([], [])
        assert verified["rows_gone_with_certificates"] == DELETED
        assert count(url, "positions") == count(url, "dead_letters") == 1
        assert run(chains, environ) == Exit.FAILED
        assert "has chains or offsets already" in capsys.readouterr().err

        with psycopg.connect(url) as db:
            attacks.unguard(db)
            db.execute("DELETE FROM ticks WHERE log_partition = 0 AND log_offset = %s", (DELETED,))
        broken = told(capsys, environ, "verify")["broken"]
        assert [(one["what"], one["offset"]) for one in broken] == [("a row is missing", DELETED)]


def test_tables_rebuilt_from_the_files_have_the_chains_of_the_lost_database(
    bench: Bench, stack: Endpoints, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    export = str(tmp_path / "export")
    with another(bench, stack) as (url, environ):
        told(capsys, environ, "archive", "chains", "--from", export)
        told(capsys, environ, "rebuild", "--from", export)
        rebuilt = count(url)
        verified = told(capsys, environ, "verify")
        with bench.archive(database=environ["HADRON_DATABASE"]):
            wait_until(lambda: count(url) == 2 * (BEFORE + BEHIND) - DELETED + 1)

        assert rebuilt == 2 * BEFORE - DELETED + 1
        assert verified["broken"] == []
        assert told(capsys, environ, "verify", "--deep")["broken"] == []

    with another(bench, stack) as (_, environ):  # without its chains it is another database
        told(capsys, environ, "rebuild", "--from", export)
        assert (
            "is not the one that was anchored"
            in told(capsys, environ, "verify")["broken"][0]["what"]
        )


def test_chains_that_somebody_changed_are_not_restored(
    bench: Bench, stack: Endpoints, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    [path] = (tmp_path / "export" / "chains" / f"{bench.prefix}ticks.fast" / "1").iterdir()
    rows = pq.read_table(path).to_pylist()
    rows[-1]["at_ns"] += 1
    pq.write_table(pa.Table.from_pylist(rows, schema=pq.read_schema(path)), path)

    with another(bench, stack) as (url, environ):
        command = ["archive", "chains", "--from", str(tmp_path / "export")]
        assert run(command, environ) == Exit.FAILED
        assert "is not the one that was anchored" in capsys.readouterr().err
        assert count(url, "audit_chain") == 0

    said = anchors.of_file(anchors.file_of(bench.settings()))
    assert not any(one.restored for one in said)


def test_what_stands_in_for_a_compacted_record_is_not_compared(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    name = f"{bench.prefix}positions"
    bench.append("positions", [encode(every_fact.a_position(offset=9))])
    with bench.archive():
        wait_until(lambda: bench.rows("positions") == 2)
    bench.log.append(name, 0, [(FILLER, None)])
    bench.log.flush()
    with bench.archive():
        wait_until(lambda: told(capsys, bench.environment, "verify")["chains"] > 0)

    assert told(capsys, bench.environment, "verify", "--deep")["broken"] == []
