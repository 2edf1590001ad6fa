"""`hadron storage` against both kinds of database."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

import psycopg
import pytest

from connectors.timescale import schema
from connectors.timescale.storage import policies
from connectors.timescale.storage.refresh import refresh_candles
from connectors.timescale.storage.windows import DAY, FOR_EVER, LEVELS, Keep
from connectors.timescale.tables import TABLES
from hadron.__main__ import run
from hadron.cli.exits import Exit
from tests.integration.inserting import insert, rows
from tests.support import T0_NS, a_trade

HOUR_NS = 3600 * 10**9


@pytest.fixture
def failed_job(timescale: str) -> Iterator[int]:
    """A job whose last run failed: no background worker runs here, so its books are written as they
    write them."""
    with psycopg.connect(timescale, autocommit=True, prepare_threshold=None) as connection:
        [(number,)] = connection.execute(
            "SELECT job_id FROM timescaledb_information.jobs WHERE hypertable_name = 'candles_1h'"
        ).fetchall()
        connection.execute(
            "DELETE FROM _timescaledb_internal.bgw_job_stat WHERE job_id = %s", [number]
        )
        connection.execute(
            """INSERT INTO _timescaledb_internal.bgw_job_stat VALUES (%s,
                now(), now(), now(), '-infinity', false, 3, '1 s', '1 s', 0, 3, 0, 3, 0, 0)""",
            [number],
        )
        connection.execute(
            """INSERT INTO _timescaledb_internal.bgw_job_stat_history
                (job_id, pid, execution_start, execution_finish, succeeded, data)
            VALUES (%s, 1, now(), now(), false,
                '{"error_data": {"message": "the disk is full", "sqlerrcode": "53100"}}')""",
            [number],
        )
    yield number
    for table in ("bgw_job_stat", "bgw_job_stat_history"):
        rows(timescale, f"DELETE FROM _timescaledb_internal.{table} RETURNING 1")


def told(
    capsys: pytest.CaptureFixture[str],
    url: str,
    command: str,
    setting: Mapping[str, str] = MappingProxyType({}),
    code: Exit = Exit.OK,
) -> Any:
    capsys.readouterr()
    environ = {"HADRON_KAFKA": "unused:1", "HADRON_DATABASE": url, **setting}
    assert run(["storage", command, "--json"], environ) == code
    return json.loads(capsys.readouterr().out)


def test_plain_postgresql_shows_sizes_and_says_what_timescaledb_would_add(
    database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    schema.migrate(database)
    if schema.timescale_version(database):
        pytest.skip("this PostgreSQL has TimescaleDB; what it says without is tested on others")
    insert(database, [a_trade(at_ns=T0_NS + n) for n in range(10)])
    rows(database, "SELECT 1 FROM ticks LIMIT 1")
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("ANALYZE")

    found = told(capsys, database, "status", {"HADRON_KEEP_TICKS_DAYS": "30"})

    tables = {table["name"]: table for table in found["tables"]}
    assert {*TABLES, "consumer_offsets", "audit_chain", "rows_retired"} <= set(tables)
    assert tables["ticks"]["rows"] == 10
    assert tables["ticks"]["size"] >= 16_384
    assert tables["ticks"]["chunks"] is None
    assert (found["timescaledb"], found["candles"], found["jobs"]) == (None, [], [])
    assert "no compression" in found["notes"][0]
    assert len(found["notes"]) == 1
    assert tables["ticks"]["drop_after"] == "P31D"
    assert found["problems"] == []
    assert told(capsys, database, "refresh") == {}


def test_a_database_that_was_never_migrated_is_empty(
    database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert told(capsys, database, "status")["tables"] == []


def test_timescaledb_shows_chunks_compression_policies_and_jobs(
    timescale: str, capsys: pytest.CaptureFixture[str]
) -> None:
    insert(timescale, [a_trade(at_ns=T0_NS + n * HOUR_NS) for n in range(60)])
    rows(timescale, "SELECT compress_chunk(chunk) FROM show_chunks('ticks') AS chunk LIMIT 2")

    found = told(capsys, timescale, "status")

    tables = {table["name"]: table for table in found["tables"]}
    views = {level.view for level in LEVELS}
    assert {*TABLES, *views, "consumer_offsets", "audit_chain", "rows_retired"} == set(tables)
    ticks = tables["ticks"]
    assert (ticks["chunks"], ticks["compressed"]) == (4, 2)
    assert ticks["ratio"] > 0
    assert 24 <= ticks["rows"] <= 60  # what lies compressed is counted, the rest is estimated
    assert (ticks["compress_after"], ticks["drop_after"]) == ("P7D", None)
    assert {(job["what"], job["on"]) for job in found["jobs"]} == {
        *(("policy_compression", name) for name in TABLES),
        *(("policy_refresh_continuous_aggregate", view) for view in views),
    }
    assert [one["name"] for one in found["candles"]] == [level.view for level in LEVELS]
    assert found["problems"] == []


def test_the_oldest_window_that_is_behind_is_shown_until_it_is_refreshed(
    timescale: str, capsys: pytest.CaptureFixture[str]
) -> None:
    insert(timescale, [a_trade(at_ns=T0_NS + n * HOUR_NS) for n in range(60)])
    refresh_candles(timescale)
    before = told(capsys, timescale, "status")["candles"][0]

    insert(timescale, [a_trade(at_ns=T0_NS + n * HOUR_NS + 1) for n in (7, 3)], 100)
    behind = told(capsys, timescale, "status")["candles"][0]
    done = told(capsys, timescale, "refresh")
    after = told(capsys, timescale, "status")["candles"][0]

    assert before["behind"] is None
    assert behind["behind"] == done["candles_1s"][0]
    assert len(done["candles_1s"]) in (1, 2)  # one transaction touched them, so it may be one
    assert after["behind"] is None
    assert told(capsys, timescale, "refresh") == {level.view: [] for level in LEVELS}


def test_candles_that_no_policy_reaches_are_a_problem(
    timescale: str, capsys: pytest.CaptureFixture[str]
) -> None:
    insert(timescale, [a_trade(at_ns=T0_NS + n * HOUR_NS) for n in range(5)])
    refresh_candles(timescale)
    with psycopg.connect(timescale, autocommit=True, prepare_threshold=None) as connection:
        policies.apply(connection, Keep(ticks=30 * DAY))
    insert(timescale, [a_trade(at_ns=T0_NS + 1)], 100)
    setting = {"HADRON_KEEP_TICKS_DAYS": "30"}

    found = told(capsys, timescale, "status", setting, Exit.CHECK_FAILED)
    told(capsys, timescale, "refresh", setting)
    mended = told(capsys, timescale, "status", setting)

    assert len(found["problems"]) == 1
    assert "run `hadron storage refresh`" in found["problems"][0]
    assert mended["problems"] == []
    [ticks] = [table for table in mended["tables"] if table["name"] == "ticks"]
    assert ticks["drop_after"] == "P31D"


def test_policies_that_are_not_as_set_are_a_problem_until_migrated(
    timescale: str, capsys: pytest.CaptureFixture[str]
) -> None:
    setting = {"HADRON_KEEP_TICKS_DAYS": "2000"}

    found = told(capsys, timescale, "status", setting, Exit.CHECK_FAILED)
    environ = {"HADRON_KAFKA": "unused:1", "HADRON_DATABASE": timescale, **setting}
    assert run(["migrate"], environ) == Exit.OK
    mended = told(capsys, timescale, "status", setting)

    assert "refresh of candles_1s" in found["problems"][0]
    assert "run `hadron migrate`" in found["problems"][0]
    assert mended["problems"] == []
    assert schema.migrate(timescale, keep=FOR_EVER) == schema.head()


def test_a_job_that_failed_is_a_problem_with_its_error(
    timescale: str, failed_job: int, capsys: pytest.CaptureFixture[str]
) -> None:
    found = told(capsys, timescale, "status", code=Exit.CHECK_FAILED)

    [job] = [one for one in found["jobs"] if one["number"] == failed_job]
    assert (job["on"], job["last_status"], job["failures"]) == ("candles_1h", "Failed", 3)
    assert job["last_error"] == "the disk is full"
    assert job["each"] == "PT1800S"
    [problem] = found["problems"]
    assert f"job {failed_job}" in problem
    assert "the disk is full" in problem


def test_people_get_tables_with_units(
    timescale: str, failed_job: int, capsys: pytest.CaptureFixture[str]
) -> None:
    insert(timescale, [a_trade(at_ns=T0_NS)])
    environ = {"HADRON_KAFKA": "unused:1", "HADRON_DATABASE": timescale}

    assert run(["storage", "status"], environ) == Exit.CHECK_FAILED

    shown = capsys.readouterr().out
    for word in ("candles_1d", "7 d", "30 min", "any age", "kB", "the disk is full"):
        assert word in shown


def test_a_database_that_does_not_answer_ends_with_5() -> None:
    environ = {"HADRON_KAFKA": "x:1", "HADRON_DATABASE": "postgresql://127.0.0.1:1/none"}

    assert run(["storage", "status"], environ) == Exit.UNREACHABLE
