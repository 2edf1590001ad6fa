"""Rows past their age go with a signed certificate, and never without."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from psycopg import errors

from connectors import anchors, signing
from connectors.local.stack import Endpoints
from connectors.timescale.access.roles import Role
from connectors.timescale.access.securing import secured
from connectors.timescale.chain import COLUMNS, entry_of
from connectors.timescale.retiring import retire
from connectors.timescale.retiring.retire import Work
from connectors.timescale.schema import timescale_version
from connectors.timescale.storage.windows import DAY, Keep
from hadron.__main__ import run
from hadron.audit.chain import FIRST_PREVIOUS, Entry
from hadron.audit.retirement import certificates
from hadron.cli import retiring
from hadron.cli.exits import Exit
from hadron.topics import ANCHORS
from tests.integration import attacks, every_fact
from tests.integration.access import ACCESS, unbelt, url_of
from tests.integration.archiving import Bench, a_bench, wait_until
from tests.integration.making_topics import make_topics
from tests.support import T0_NS, a_trade, codec

encode = codec().encode
PAGE = Path(__file__).parents[2] / "docs" / "operations.md"
KEEP = {"HADRON_KEEP_TICKS_DAYS": "2"}
KEPT = Keep(ticks=2 * DAY)
DAY_NS = 86_400 * 10**9
OLD, YOUNG = 60, 25  # ticks of each partition


@pytest.fixture
def bench(stack: Endpoints, database: str, unique: str, tmp_path: Path) -> Iterator[Bench]:
    """Ticks that were stored four days ago and ticks of today, a dead letter among them."""
    key = tmp_path / "anchor.pem"
    signing.create(key)
    settings = {"anchor_key_file": str(key), "anchor_file": str(tmp_path / "anchors.jsonl")}
    admin = AdminClient({"bootstrap.servers": stack.kafka})
    with a_bench(stack.kafka, database, unique, **settings) as bench:
        topic = bench.prefix + ANCHORS.name
        make_topics(admin, NewTopic(topic, 1, 1))
        decisions = [encode(fact) for fact in every_fact.by_topic()["decisions"]]
        bench.append("decisions", [one for one in decisions if b"\0" not in one[5:]][:1])
        archived(bench, 0, OLD, anchored=False)
        a_time_ago(bench, 4)
        archived(bench, OLD, YOUNG)
        yield bench
        admin.delete_topics([topic])[topic].result(30)


def archived(bench: Bench, first: int, count: int, *, anchored: bool = True) -> None:
    for partition in (0, 1):
        # Those of another run lie in another chunk, where there are chunks.
        ticks = [
            a_trade(raw_offset=n, at_ns=T0_NS + (first > 0) * 5 * DAY_NS + n)
            for n in range(first, first + count)
        ]
        values: list[bytes | None] = [encode(one) for one in ticks]
        bench.append("ticks.fast", [*values[:5], b"junk", None, *values[5:]], partition)
    with bench.archive(**({} if anchored else {"anchor_key_file": ""})):
        wait_until(lambda: bench.rows() == 2 * (first + count))


def a_time_ago(bench: Bench, days: int) -> None:
    """Let the chains say that all was stored so many days ago, as they would have then."""
    with psycopg.connect(bench.database) as db:
        attacks.unguard(db)
        previous: dict[tuple[str, int], bytes] = {}
        for row in db.execute(f"SELECT {COLUMNS} FROM audit_chain ORDER BY 1, 2, 3").fetchall():
            old: Entry = entry_of(row)
            place = (old.topic, old.partition)
            before = previous.get(place, FIRST_PREVIOUS)
            fields = {name: getattr(old, name) for name in old.__struct_fields__}
            entry = Entry(**{**fields, "at_ns": old.at_ns - days * DAY_NS, "previous": before})
            previous[place] = entry.hash
            db.execute(
                """UPDATE audit_chain SET chained_at_ns = %s, previous = %s, hash = %s
                WHERE topic = %s AND partition = %s AND number = %s""",
                (entry.at_ns, before, entry.hash, *place, old.number),
            )
        if chunked(bench):
            db.execute(
                # The row of a chunk names it by its oid since 2.29, by schema and table before.
                """UPDATE _timescaledb_catalog.chunk SET creation_time = now() - %s
                WHERE coalesce(to_jsonb(chunk) ->> 'relid', to_jsonb(chunk) ->> 'schema_name'
                    || '.' || (to_jsonb(chunk) ->> 'table_name')) IN (
                    SELECT chunk_schema || '.' || chunk_name
                    FROM timescaledb_information.chunks WHERE hypertable_name = 'ticks')""",
                (days * DAY,),
            )
    secured(bench.database, ACCESS)


def chunked(bench: Bench) -> bool:
    """Rows go by chunks, with those of both partitions, and not partition by partition."""
    return timescale_version(bench.database) is not None


def told(
    capsys: pytest.CaptureFixture[str], bench: Bench, *command: str, **more: str
) -> tuple[int, Any]:
    capsys.readouterr()
    code = run([*command, "--json"], bench.environment | KEEP | more)
    out = capsys.readouterr().out
    return code, json.loads(out) if out else None


def certified(bench: Bench) -> int:
    return len(certificates(anchors.of_file(anchors.file_of(bench.settings()))))


def test_old_rows_go_with_a_certificate_and_the_rest_is_whole(
    bench: Bench, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, found = told(capsys, bench, "storage", "retire")

    assert (code, found["broken"], found["waiting"]) == (Exit.OK, [], [])
    assert [(one["table"], one["partition"], one["rows"]) for one in found["gone"]] == [
        ("ticks", 0, OLD),
        ("ticks", 1, OLD),
    ]
    assert bench.rows() == 2 * YOUNG
    assert bench.rows("dead_letters") == 8  # of another age than ticks
    said = certificates(anchors.of_file(anchors.file_of(bench.settings())))
    assert said == certificates(anchors.of_topic(bench.log, bench.prefix + ANCHORS.name, codec()))
    assert [one.runs for one in said] == [[0, 5, 7, OLD - 5]] * 2
    assert bench.rows("rows_retired") == 2

    code, verified = told(capsys, bench, "verify", "--deep")
    assert (code, verified["broken"], verified["notes"]) == (Exit.OK, [], [])
    assert verified["rows_gone_with_certificates"] == 2 * OLD

    again = told(capsys, bench, "storage", "retire")
    assert again == (Exit.OK, {"gone": [], "broken": [], "waiting": []})
    assert certified(bench) == 2

    asked = ["prove", "ticks.fast/0/3", "--to", str(tmp_path / "proof.json")]
    assert run(asked, bench.environment) == Exit.FAILED
    assert "went with a certificate" in capsys.readouterr().err


def test_the_commands_of_the_operators_page_run(bench: Bench) -> None:
    section = PAGE.read_text("utf-8").partition("## What is stored, how long")[2]
    block = section.partition("```sh\n")[2].partition("```")[0]
    commands = [shlex.split(line, comments=True)[1:] for line in block.splitlines()]
    assert ["storage", "retire"] in commands

    for words in commands:
        assert run(words, bench.environment | KEEP) == Exit.OK, words

    assert bench.rows() == 2 * YOUNG


def test_without_a_key_and_without_ages_nothing_goes(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    environ = bench.environment | KEEP | {"HADRON_ANCHOR_KEY_FILE": ""}
    assert run(["storage", "retire"], environ) == Exit.SETTINGS
    assert "HADRON_ANCHOR_KEY_FILE: is not set" in capsys.readouterr().err

    code, found = told(capsys, bench, "storage", "retire", HADRON_KEEP_TICKS_DAYS="")

    assert (code, found["gone"]) == (Exit.OK, [])
    assert bench.rows() == 2 * (OLD + YOUNG)


def test_only_who_may_become_the_retirer_lets_rows_go(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    sink = {"HADRON_DATABASE_RETIRE": url_of(Role.SINK, bench.database)}
    assert run(["storage", "retire"], bench.environment | KEEP | sink) == Exit.FAILED
    assert "hadron_sink may not become hadron_retirer" in capsys.readouterr().err
    assert bench.rows() == 2 * (OLD + YOUNG)

    migrator = {
        "HADRON_DATABASE_RETIRE": "",
        "HADRON_DATABASE_MIGRATE": url_of(Role.MIGRATOR, bench.database),
    }
    assert told(capsys, bench, "storage", "retire", **migrator)[0] == Exit.OK
    assert bench.rows() == 2 * YOUNG


def test_what_is_broken_stays_and_is_told(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    with psycopg.connect(bench.database) as db:
        attacks.unguard(db)
        db.execute("UPDATE ticks SET price = price + 1 WHERE log_partition = 0 AND log_offset = 3")

    code, found = told(capsys, bench, "storage", "retire")

    assert code == Exit.CHECK_FAILED
    assert [(one["partition"], one["offset"]) for one in found["broken"]] == [(0, 3)]
    whole = [] if chunked(bench) else [1]
    assert [one["partition"] for one in found["gone"]] == whole
    assert bench.rows() == (2 - len(whole)) * OLD + 2 * YOUNG


def test_a_run_that_was_stopped_between_is_finished_by_the_next_with_the_same_certificate(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    first = 2 if chunked(bench) else 1  # certificates of what goes at once
    work = retiring.prepared(bench.settings(keep_ticks_days="2"))

    def stopped(*_: Any) -> Any:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        retire.retire(_with(work, certify=stopped), KEPT)
    assert (certified(bench), bench.rows(), bench.rows("rows_retired")) == (0, 170, 0)

    def written_then_stopped(*said: Any) -> Any:
        work.certify(*said)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        retire.retire(_with(work, certify=written_then_stopped), KEPT)
    assert (certified(bench), bench.rows(), bench.rows("rows_retired")) == (first, 170, 0)

    code, verified = told(capsys, bench, "verify")
    assert (code, verified["rows_gone_with_certificates"]) == (Exit.OK, 0)
    assert f"{first * OLD} rows have a certificate and are there still" in verified["notes"][0]

    # A writer who does not leave the table: certified, and not dropped yet.
    with psycopg.connect(bench.database) as writer:
        writer.execute("LOCK TABLE ticks IN ROW EXCLUSIVE MODE")
        work = retiring.prepared(bench.settings(keep_ticks_days="2"))
        found = retire.retire(_with(work, patience_s=0.2), KEPT)
    assert len(found.waiting) == 2 // first
    assert "lock timeout" in found.waiting[0]
    assert (certified(bench), bench.rows(), bench.rows("rows_retired")) == (2, 170, 2)

    code, found = told(capsys, bench, "storage", "retire")
    assert (code, len(found["gone"])) == (Exit.OK, 2)
    assert (certified(bench), bench.rows(), bench.rows("rows_retired")) == (2, 50, 2)
    assert told(capsys, bench, "verify")[1]["rows_gone_with_certificates"] == 2 * OLD


def test_a_rebuild_brings_nothing_back_that_went_with_a_certificate(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    shards = {"HADRON_NUM_SHARDS": "2"}
    assert told(capsys, bench, "storage", "retire")[0] == Exit.OK

    # The log has all that went; nothing differs, and nothing comes back.
    code, found = told(capsys, bench, "rebuild", "--compare", **shards)
    assert (code, found["same"], found["rows_gone_with_certificates"]) == (Exit.OK, True, 2 * OLD)

    # What is lost without a certificate does come back, also where the database claims one.
    unbelt(bench.database)
    with psycopg.connect(bench.database) as db:
        db.execute("DELETE FROM ticks WHERE log_partition = 1 AND log_offset = %s", (OLD + 9,))
        db.execute("UPDATE rows_retired SET offset_runs = ARRAY[0, 1000], last_offset = 999")
    code, found = told(capsys, bench, "rebuild", **shards)
    assert (code, found["same"]) == (Exit.OK, False)
    assert bench.rows() == 2 * YOUNG
    code, verified = told(capsys, bench, "verify", "--deep")
    assert (code, verified["notes"]) == (Exit.OK, [])
    assert verified["rows_gone_with_certificates"] == 2 * OLD


def test_where_nobody_knows_the_key_a_rebuild_says_what_it_brings_back(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    unknown = {"HADRON_ANCHOR_KEY_FILE": "", "HADRON_NUM_SHARDS": "2"}
    assert told(capsys, bench, "storage", "retire")[0] == Exit.OK

    capsys.readouterr()
    assert run(["rebuild"], bench.environment | unknown) == Exit.OK
    assert "rows that went with a certificate come back" in capsys.readouterr().err
    assert bench.rows() == 2 * (OLD + YOUNG)

    code, verified = told(capsys, bench, "verify", "--deep")
    assert (code, verified["rows_gone_with_certificates"]) == (Exit.OK, 0)
    assert f"{2 * OLD} rows have a certificate and are there still" in verified["notes"][0]
    assert told(capsys, bench, "storage", "retire")[0] == Exit.OK
    # A chunk that comes back has another name, which its certificates say.
    assert (bench.rows(), certified(bench)) == (2 * YOUNG, 4 if chunked(bench) else 2)


def test_what_a_superuser_does_about_certificates_is_found(
    bench: Bench, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = anchors.file_of(bench.settings())
    assert told(capsys, bench, "storage", "retire")[0] == Exit.OK
    before = file.read_bytes()
    real = anchors.of_file(file)

    # A row more is gone than is certified.
    unbelt(bench.database)
    with psycopg.connect(bench.database) as db:
        db.execute("DELETE FROM ticks WHERE log_partition = 1 AND log_offset = %s", (OLD + 9,))
        # A certificate in the database is nothing without one outside.
        db.execute("UPDATE rows_retired SET offset_runs = ARRAY[0, 1000], last_offset = 999")
    code, verified = told(capsys, bench, "verify")
    assert code == Exit.CHECK_FAILED
    assert [(one["partition"], one["offset"]) for one in verified["broken"]] == [(1, OLD + 9)]

    # The file is lost: the log still has what was signed.
    file.unlink()
    _, verified = told(capsys, bench, "verify")
    assert [one["offset"] for one in verified["broken"]] == [OLD + 9]

    # Someone signs such a certificate with a key of their own.
    other = signing.create(tmp_path / "theirs.pem")
    [one] = [anchor for anchor in real if anchor.retired][-1:]
    file.write_bytes(before)
    anchors.append(file, anchors.made(one.heads, other, retired=one.retired))
    code, verified = told(capsys, bench, "verify")
    assert {one["what"] for one in verified["broken"]} >= {
        "an anchor that no trusted key signed",
        "a row is missing",
    }


def test_the_database_drops_nothing_without_a_certificate(bench: Bench) -> None:
    refused: AbstractContextManager[object] = (
        pytest.raises(errors.FeatureNotSupported) if chunked(bench) else nullcontext()
    )
    with psycopg.connect(bench.database, autocommit=True) as db, refused:
        db.execute("SELECT drop_retired('ticks', '', ARRAY['unknown'::bytea])")
    assert bench.rows() == 2 * (OLD + YOUNG)


def _with(work: Work, **changes: Any) -> Work:
    return msgspec.structs.replace(work, **changes)
