"""What a superuser does to the database is found, and where; what nobody touched is whole."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from psycopg import sql
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt

from connectors import anchors, signing
from connectors.local.stack import Endpoints
from connectors.timescale import records
from connectors.timescale.verifying import checking
from hadron.__main__ import run
from hadron.audit.anchors import strange
from hadron.audit.verification import Broken, broken_anchor
from hadron.cli.exits import Exit
from hadron.topics import ANCHORS
from tests.integration import attacks, every_fact, native
from tests.integration.archiving import Bench, a_bench, wait_until
from tests.integration.making_topics import make_topics
from tests.support import T0_NS, a_quote, a_trade, codec

encode = codec().encode
TIMES = 4  # each attack on each table


@pytest.fixture(scope="module")
def database(stack: Endpoints) -> Iterator[str]:
    with psycopg.connect(stack.database, autocommit=True) as connection:
        name = f"verified_{random.SystemRandom().randrange(2**48)}"
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        yield urlunsplit(urlsplit(stack.database)._replace(path=f"/{name}"))
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
def bench(
    stack: Endpoints, database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Bench]:
    """Every kind of fact, the unreadable among them, in several batches on two partitions."""
    where = tmp_path_factory.mktemp("anchors")
    key, prefix = where / "anchor.pem", f"verified-{random.SystemRandom().randrange(2**32)}"
    signing.create(key)
    settings = {"anchor_key_file": str(key), "anchor_file": str(where / "anchors.jsonl")}
    admin = AdminClient({"bootstrap.servers": stack.kafka})
    with a_bench(stack.kafka, database, prefix, **settings) as bench:
        topic = bench.prefix + ANCHORS.name
        make_topics(admin, NewTopic(topic, 1, 1))
        fill(bench)
        yield bench
        admin.delete_topics([topic])[topic].result(30)


def fill(bench: Bench) -> None:
    for topic, facts in every_fact.by_topic().items():
        bench.append(topic, [encode(fact) for fact in facts])
    bench.append("positions", [None, encode(every_fact.a_position(offset=5)), None])
    bench.append("ticks.warm", [b"junk", encode(a_trade()), None])
    for batch in range(3):
        with bench.archive():
            for partition in (0, 1):
                ticks = [tick(20 * batch + n, partition) for n in range(20)]
                bench.append("ticks.cold", [encode(one) for one in ticks], partition)
            wait_until(lambda: stored(bench) == len(bench.produced) - 2)


def stored(bench: Bench) -> int:
    tables = dict.fromkeys(map(records.table_of, bench.topics.values()))
    return sum(bench.rows(table) for table in tables)


def tick(number: int, partition: int) -> Any:
    shared: dict[str, Any] = {"raw_offset": number, "at_ns": T0_NS + number * 1000}
    if number % 3:
        return a_quote(100 + number, 200 + partition, **shared)
    return a_trade(f"{number}.25", sequence=partition, conditions=(number,), **shared)


def judged(bench: Bench, url: str) -> list[Broken]:
    """What is wrong with a database, given the anchors of the one it was."""
    found, _ = checking.check(url, codec)
    said = anchors.of_file(anchors.file_of(bench.settings()))
    trusted = signing.public_keys(Path(bench.environment["HADRON_ANCHOR_KEY_FILE"] + ".pub"))
    assert not strange(said, trusted, signing.verify)
    wrong = broken_anchor(said, found.hashes)
    return sorted([*found.broken, *([wrong] if wrong else [])])


def verified(bench: Bench, capsys: pytest.CaptureFixture[str], *more: str, **env: str) -> Any:
    code = run(["verify", "--json", *more], bench.environment | env)
    return code, json.loads(capsys.readouterr().out)


def test_what_nobody_touched_is_whole(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    code, document = verified(bench, capsys, "--deep")

    assert document["broken"] == []
    assert code == Exit.OK
    assert document["whole"] is True
    assert document["rows"] == stored(bench)
    assert document["records_of_log"] == len(bench.produced)
    assert document["anchors_in_file"] == document["anchors_on_log"] == 3
    assert document["notes"] == []


def test_many_processes_find_the_same(bench: Bench) -> None:
    found, rows = checking.check(bench.database, codec, processes=2)

    assert (found.broken, rows) == ([], stored(bench))


def test_every_attack_of_a_superuser_is_found_at_its_first_place(bench: Bench) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")  # noqa: T201
    chance = random.Random(seed)
    cold = f"{bench.prefix}ticks.cold"
    tried = [(attack, "ticks", cold) for attack in attacks.ON_TICKS] * TIMES
    for name, topic in bench.topics.items():
        if (table := records.table_of(topic)) != "ticks":
            tried += [(attack, table, name) for attack in attacks.ON_ANY_TABLE]
    for attack, table, topic_name in tried:
        with clone(bench.database) as url:
            with psycopg.connect(url) as db:
                attacks.unguard(db)
                if not db.execute(
                    sql.SQL("SELECT FROM {} WHERE log_topic = %s AND record IS NULL").format(
                        sql.Identifier(table)
                    ),
                    (topic_name,),
                ).fetchall():
                    continue
                place = attack(db, table, topic_name, chance)
            found = judged(bench, url)

        assert found, (attack.__name__, place)
        first = (found[0].topic, found[0].partition, found[0].offset)
        if attack is attacks.rewrite:
            assert found[0].what.endswith("not the one that was anchored")
            place = (*place[:2], first[2])
        elif attack is attacks.truncate:
            assert first[2] <= place[2]
            place = (*place[:2], first[2])
        assert first == place, (attack.__name__, place, found)


def test_a_broken_database_ends_with_3_and_says_where(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    with clone(bench.database) as url:
        with psycopg.connect(url) as db:
            attacks.unguard(db)
            db.execute("UPDATE order_executions SET quantity = quantity + 1 WHERE log_offset = 0")

        code, document = verified(bench, capsys, HADRON_DATABASE_AUDIT=url)

    assert code == Exit.CHECK_FAILED
    [broken] = document["broken"]
    assert (broken["topic"], broken["offset"]) == (f"{bench.prefix}orders", 0)
    assert broken["table"] == "order_executions"


def test_without_anchors_only_the_log_tells_that_a_chain_was_rewritten(
    bench: Bench, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    unsigned = {"HADRON_ANCHOR_KEY_FILE": "", "HADRON_ANCHOR_FILE": str(tmp_path / "none")}
    with clone(bench.database) as url:
        with psycopg.connect(url) as db:
            attacks.unguard(db)
            name = f"{bench.prefix}ticks.cold"
            attacks.rewrite(db, "ticks", name, random.Random(1))

        code, document = verified(bench, capsys, HADRON_DATABASE_AUDIT=url, **unsigned)
        assert (code, document["whole"]) == (Exit.OK, True)
        assert "no public key is known" in document["notes"][0]

        code, document = verified(bench, capsys, "--deep", HADRON_DATABASE_AUDIT=url, **unsigned)

    assert code == Exit.CHECK_FAILED
    assert [one["what"] for one in document["broken"]] == ["another record on the log"]


def test_a_key_nobody_trusts_proves_nothing(
    bench: Bench, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    signing.create(tmp_path / "other.pem")

    code, document = verified(bench, capsys, "--public-key", str(tmp_path / "other.pem.pub"))

    assert code == Exit.CHECK_FAILED
    assert {one["what"] for one in document["broken"]} == {"an anchor that no trusted key signed"}


def test_since_leaves_out_what_was_stored_before(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    code, document = verified(bench, capsys, "--since", "2100-01-01")

    assert (code, document["rows"]) == (Exit.OK, 0)


def test_an_order_is_proven_to_somebody_who_has_only_the_public_key(
    bench: Bench, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    proof, public = tmp_path / "proof.json", bench.environment["HADRON_ANCHOR_KEY_FILE"] + ".pub"
    order = ["prove", "h-0-0", "--to", str(proof), "--json"]

    assert run(order, bench.environment) == Exit.OK

    named = json.loads(capsys.readouterr().out)["records"]
    places = ("orders/0/0", "intents/0/0", "decisions/0/0", "orders/0/1")
    assert named == [f"{bench.prefix}{place}" for place in places]
    # Nothing is set: neither Kafka nor a database can be asked.
    checked = ["verify-proof", str(proof), "--public-key", public, "--json"]
    assert run(checked, {}) == Exit.OK
    shown = json.loads(capsys.readouterr().out)["records"]
    assert [one["place"] for one in shown] == named
    assert shown[0]["fact"]["order"] == "h-0-0"

    spoilt = json.loads(proof.read_text())
    spoilt["records"][0]["offset"] += 1
    proof.write_text(json.dumps(spoilt))
    assert run(checked, {}) == Exit.CHECK_FAILED
    assert json.loads(capsys.readouterr().out)["holds"] is False


def test_a_decision_is_proven_by_its_name_and_a_changed_one_is_not(
    bench: Bench, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["prove", "decisions/0/0/0", "--to", str(tmp_path / "proof.json")]
    assert run(asked, bench.environment) == Exit.OK

    with clone(bench.database) as url:
        with psycopg.connect(url) as db:
            attacks.unguard(db)
            db.execute("UPDATE strategy_decisions SET side = 'sell' WHERE log_offset = 0")
        assert run(asked, bench.environment | {"HADRON_DATABASE_AUDIT": url}) == Exit.FAILED

    assert "is not what was chained" in capsys.readouterr().err
    assert run(["prove", "nonsense"], bench.environment) == Exit.FAILED


@contextmanager
def clone(database: str) -> Iterator[str]:
    """A copy of a database, for one attack."""
    parts = urlsplit(database)
    template, name = parts.path.lstrip("/"), f"spoilt_{random.SystemRandom().randrange(2**48)}"
    server = urlunsplit(parts._replace(path="/postgres"))
    copied = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
        sql.Identifier(name), sql.Identifier(template)
    )
    with psycopg.connect(server, autocommit=True) as connection:
        # A database that somebody is in cannot be copied; TimescaleDB's scheduler comes back.
        for attempt in Retrying(
            retry=retry_if_exception_type(psycopg.errors.ObjectInUse),
            stop=stop_after_attempt(5),
            reraise=True,
        ):
            with attempt:
                native.stop_jobs(database)
                connection.execute(copied)
        try:
            yield urlunsplit(parts._replace(path=f"/{name}"))
        finally:
            connection.execute(
                sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
            )
