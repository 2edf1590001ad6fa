"""The heads of all chains are signed on time and at the end, on a topic and in a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from connectors import anchors, signing
from connectors.local.stack import Endpoints
from hadron.__main__ import run
from hadron.audit.anchors import introduced, is_signed
from hadron.cli.exits import Exit
from hadron.topics import ANCHORS
from tests.integration.archiving import Bench, a_bench, wait_until
from tests.integration.making_topics import make_topics
from tests.support import T0_NS, a_fill, a_trade, codec


@pytest.fixture
def bench(stack: Endpoints, database: str, unique: str, tmp_path: Path) -> Iterator[Bench]:
    key, file = tmp_path / "anchor.pem", tmp_path / "anchors.jsonl"
    assert run(["keys", "create"], {"HADRON_ANCHOR_KEY_FILE": str(key)}) == Exit.OK
    settings = {"anchor_key_file": str(key), "anchor_file": str(file), "anchor_s": "0.2"}
    admin = AdminClient({"bootstrap.servers": stack.kafka})
    with a_bench(stack.kafka, database, unique, **settings) as bench:
        topic = bench.prefix + ANCHORS.name
        make_topics(admin, NewTopic(topic, 1, 1))
        yield bench
        admin.delete_topics([topic])[topic].result(30)


def heads(bench: Bench) -> set[tuple[str, int, bytes]]:
    query = """
        SELECT DISTINCT ON (topic, partition) topic, partition, hash FROM audit_chain
        ORDER BY topic, partition, number DESC
    """
    with psycopg.connect(bench.database) as connection:
        return set(connection.execute(query))


def test_heads_are_anchored_on_time_and_at_the_end(bench: Bench) -> None:
    file = anchors.file_of(bench.settings())
    with bench.archive():
        bench.append("ticks.fast", [codec().encode(a_trade(at_ns=T0_NS))])
        wait_until(lambda: len(anchors.of_file(file)) == 1)
        bench.append("orders", [codec().encode(a_fill())], 1)
        wait_until(lambda: bench.rows("order_executions") == 1)

    said = anchors.of_file(file)
    [public] = signing.public_keys(Path(f"{bench.environment['HADRON_ANCHOR_KEY_FILE']}.pub"))
    assert anchors.of_topic(bench.log, bench.prefix + ANCHORS.name, codec()) == said
    assert all(is_signed(one, signing.verify) and one.public_key == public for one in said)
    assert {(head.topic, head.partition, head.hash) for head in said[-1].heads} == heads(bench)
    assert len(said[-1].heads) == 2


def test_a_restarted_archive_anchors_what_was_stored_before(bench: Bench) -> None:
    bench.append("ticks.fast", [codec().encode(a_trade(at_ns=T0_NS))])
    file = anchors.file_of(bench.settings())
    with bench.archive(anchor_key_file=""):
        wait_until(lambda: bench.rows() == 1)
    assert anchors.of_file(file) == []

    with bench.archive():
        wait_until(lambda: len(anchors.of_file(file)) == 1)

    [said] = anchors.of_file(file)
    assert {(head.topic, head.partition, head.hash) for head in said.heads} == heads(bench)


def test_a_rotated_key_is_introduced_by_the_old_one(bench: Bench) -> None:
    path = Path(bench.environment["HADRON_ANCHOR_KEY_FILE"])
    [old] = signing.public_keys(signing.public_file(path))

    assert run(["keys", "rotate"], bench.environment) == Exit.OK

    new = signing.load(path).public
    said = anchors.of_topic(bench.log, bench.prefix + ANCHORS.name, codec())
    assert said == anchors.of_file(anchors.file_of(bench.settings()))
    assert set(introduced([old], said, signing.verify)) == {old, new}


def test_a_key_is_made_once_and_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    environment = {"HADRON_ANCHOR_KEY_FILE": str(tmp_path / "anchor.pem")}
    keep, again = ["keys", "create", "--keep", "--json"], ["keys", "create", "--json"]

    assert run(keep, environment) == Exit.OK
    made = capsys.readouterr().out
    assert run(keep, environment) == Exit.OK
    assert capsys.readouterr().out == made
    assert run(again, environment) == Exit.FAILED
    assert "hadron keys rotate" in capsys.readouterr().err
