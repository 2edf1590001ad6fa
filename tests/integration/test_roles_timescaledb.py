"""On TimescaleDB a role can reach for chunks: nothing that it can call changes what is written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import errors

from connectors.local.stack import Endpoints
from connectors.timescale import schema
from connectors.timescale.access.roles import RUNTIME, Role
from connectors.timescale.access.securing import differences
from tests.integration import native
from tests.integration.access import ACCESS, an_empty_database, url_of
from tests.integration.attempts import OF_TIMESCALEDB
from tests.integration.inserting import insert, rows
from tests.support import T0_NS, a_trade

each_role = pytest.mark.parametrize("role", RUNTIME)
DAY_NS = 86_400 * 10**9

# What a function takes, and what to give it: a chunk, a hypertable, a candle.
GIVEN = {
    "regclass": ("'{chunk}'::regclass", "'ticks'::regclass", "'candles_1m'::regclass"),
    "integer": ("{hypertable}", "1000", "{hypertable}"),
    "name": ("'ticks'::name",) * 3,
    "text": ("'ticks'",) * 3,
    "boolean": ("true",) * 3,
    "bigint": ("1",) * 3,
    "interval": ("INTERVAL '1 day'",) * 3,
    "anyelement": ("INTERVAL '1 day'", "1", "now()"),
    '"any"': ("INTERVAL '1 day'", "now()", "now()"),
    "jsonb": (
        """'{{"hypertable_id": {hypertable}, "drop_after": "1 day", "compress_after": "1 day"}}'""",
    )
    * 3,
}
FUNCTIONS = """
    SELECT DISTINCT function.oid::regproc::text, prokind = 'p',
        ARRAY(SELECT kind::regtype::text FROM unnest(proargtypes) AS kind)
    FROM pg_proc AS function JOIN pg_depend ON objid = function.oid AND deptype = 'e'
        JOIN pg_extension ON pg_extension.oid = refobjid AND extname = 'timescaledb'
    WHERE prokind IN ('f', 'p') AND provolatile = 'v' ORDER BY 1
"""
STATE = """
    SELECT (SELECT string_agg(row_to_json(t)::text, '|' ORDER BY log_offset) FROM ticks AS t),
        (SELECT string_agg(c::text, '|' ORDER BY c.id) FROM _timescaledb_catalog.chunk AS c),
        (SELECT string_agg(h::text, '|' ORDER BY h.id) FROM _timescaledb_catalog.hypertable AS h),
        (SELECT string_agg(d::text, '|' ORDER BY d.id) FROM _timescaledb_catalog.dimension AS d),
        (SELECT string_agg(oid::text || relowner || coalesce(relacl::text, ''), '|' ORDER BY oid)
            FROM pg_class WHERE relnamespace::regnamespace::text ~ '^(public|_timescaledb_)'),
        (SELECT string_agg(j::text, '|' ORDER BY j.id) FROM _timescaledb_config.bgw_job AS j
            WHERE owner::text <> current_user)
"""


def filled(url: str) -> str:
    schema.migrate(url, access=ACCESS)
    insert(url, [a_trade(raw_offset=n, at_ns=T0_NS + n * DAY_NS) for n in range(4)])
    rows(url, "SELECT compress_chunk(chunk) FROM show_chunks('ticks') AS chunk LIMIT 1")
    return url


@pytest.fixture(scope="module")
def url(new_timescaledb: native.New, kind_of_timescaledb: str) -> Iterator[str]:
    with new_timescaledb() as url:
        filled(url)
        if kind_of_timescaledb == "native":
            native.stop_jobs(url)
        yield url


@pytest.fixture(scope="module")
def server(stack: Endpoints) -> Iterator[str]:
    """Where roles can log in: in WASM there is one session for all, and it is a superuser's."""
    native.demand(stack.database, "its roles are tested in WASM")
    with an_empty_database(stack.database) as url:
        yield filled(url)


def places(url: str) -> dict[str, str]:
    compressed, *_, chunk = sorted(
        chunk for (chunk,) in rows(url, "SELECT chunk::text FROM show_chunks('ticks') AS chunk")
    )
    [(hypertable,)] = rows(
        url, "SELECT id FROM _timescaledb_catalog.hypertable WHERE table_name = 'ticks'"
    )
    return {"chunk": chunk, "compressed": compressed, "hypertable": str(hypertable)}


def tried(connection: psycopg.Connection[Any], role: Role, statement: str) -> str | None:
    """As a role, in a transaction that is undone; what it changed, or None."""
    before = connection.execute(STATE.encode()).fetchone()
    connection.execute("BEGIN")
    try:
        connection.execute(f"SET LOCAL ROLE {ACCESS.name(role)}".encode())
        connection.execute(statement.encode())
        connection.execute("RESET ROLE")
        after = connection.execute(STATE.encode()).fetchone()
        return None if after == before else statement
    except errors.InsufficientPrivilege:
        return None
    except errors.ActiveSqlTransaction:
        return alone(connection, role, statement)
    except psycopg.Error as other:
        return f"{statement}: {other}"
    finally:
        connection.execute("ROLLBACK")


def alone(connection: psycopg.Connection[Any], role: Role, statement: str) -> str | None:
    """What commits by itself cannot be undone: only a refusal will do."""
    connection.execute("ROLLBACK")
    connection.execute(f"SET ROLE {ACCESS.name(role)}".encode())
    try:
        connection.execute(statement.encode())
    except errors.InsufficientPrivilege:
        return None
    except psycopg.Error as other:
        return f"{statement}: {other}"
    finally:
        connection.execute("RESET ROLE")
    return statement


@each_role
def test_each_attempt_on_a_chunk_is_refused(url: str, role: Role) -> None:
    where = places(url)
    with psycopg.connect(url, autocommit=True, prepare_threshold=None) as connection:
        accepted = {
            what: said
            for what, statement in OF_TIMESCALEDB.items()
            if (said := tried(connection, role, statement.format(**where)))
        }

    assert accepted == {}


def test_no_function_of_the_extension_changes_anything(url: str) -> None:
    where = places(url)
    changed: list[str] = []
    calls = 0
    with psycopg.connect(url, autocommit=True, prepare_threshold=None) as connection:
        for function, procedure, kinds in connection.execute(FUNCTIONS.encode()).fetchall():
            verb = "CALL" if procedure else "SELECT"
            for turn in range(3):
                given = [GIVEN[kind][turn] if kind in GIVEN else f"NULL::{kind}" for kind in kinds]
                call = f"{verb} {function}({', '.join(given)})".format(**where)
                said = tried(connection, Role.SINK, call)
                calls += 1
                if said == call:
                    changed.append(call)

    assert changed == []
    assert calls > 300


def test_without_our_revocation_anybody_could_drop_a_chunk(
    url: str, kind_of_timescaledb: str
) -> None:
    function = "_timescaledb_functions.drop_chunk"
    where = places(url)
    with psycopg.connect(url, autocommit=True, prepare_threshold=None) as connection:
        connection.execute(f"GRANT EXECUTE ON FUNCTION {function} TO PUBLIC".encode())
        found = differences(connection, ACCESS)
        call = f"SELECT {function}('{where['chunk']}')"
        accepted = tried(connection, Role.READER, call)
    schema.migrate(url)

    # 2.29 asks whose the chunk is; 2.23, which is what runs in WASM, does not.
    assert accepted == (call if kind_of_timescaledb == "wasm" else None)
    assert found == [f"PUBLIC may execute {function}(regclass)"]
    with psycopg.connect(url, autocommit=True, prepare_threshold=None) as connection:
        assert differences(connection, ACCESS) == []
        assert tried(connection, Role.READER, call) is None


def test_everybody_can_do_their_work_on_hypertables(url: str) -> None:
    new = T0_NS + 90 * DAY_NS  # a chunk that is not there yet
    with psycopg.connect(url, autocommit=True, prepare_threshold=None) as connection:
        cells = "at, at_ns, seen_ns, log_topic, log_partition, log_offset, raw_partition"
        more = "raw_offset, kind, instrument, venue, sequence, price_scale, size_scale"
        row = f"to_timestamp({new // 10**9}), {new}, 0, 't', 0, 9, 0, 0, 'trade', 'i', 'v', 0, 0"
        work = {
            Role.SINK: (
                "INSERT INTO consumer_offsets VALUES ('t', 0, 0) ON CONFLICT DO NOTHING",
                "UPDATE consumer_offsets SET next_offset = 1 WHERE next_offset = 0",
                "CREATE TEMPORARY TABLE staged (at timestamptz) ON COMMIT DELETE ROWS",
                f"INSERT INTO ticks ({cells}, {more}, quality, lane, reason, record)"
                f" SELECT {row}, 0, 'q', 'l', 'r', ''::bytea ON CONFLICT DO NOTHING",
                "SELECT max(number) FROM audit_chain",
            ),
            Role.READER: (
                "SELECT FROM ticks, consumer_offsets",
                "SELECT * FROM candles_1m, prices_1h",
                "SELECT * FROM decisions_with_ends, positions_at(now())",
            ),
            Role.AUDITOR: ("SELECT FROM ticks, audit_chain", "SELECT FROM candles_1d"),
            Role.RETIRER: (
                "SELECT FROM ticks, audit_chain, rows_retired, consumer_offsets",
                "SELECT 1 / count(*) FROM timescaledb_information.chunks"
                " WHERE hypertable_name = 'ticks' AND chunk_creation_time <= now()",
                "SELECT 1 / count(*) FROM timescaledb_information.hypertables",
            ),
        }
        for role, statements in work.items():
            connection.execute("BEGIN")
            connection.execute(f"SET LOCAL ROLE {ACCESS.name(role)}".encode())
            for statement in statements:
                connection.execute(statement.encode())
            connection.execute("ROLLBACK")
        assert alone(connection, Role.READER, "SELECT FROM audit_chain") is None


def test_the_retirer_drops_no_chunk_without_a_certificate(url: str) -> None:
    call = f"SELECT drop_retired('ticks', '{places(url)['chunk']}', ARRAY['mine'::bytea])"
    with psycopg.connect(url, autocommit=True, prepare_threshold=None) as connection:
        said = tried(connection, Role.RETIRER, call)
        assert [one for one in RUNTIME if tried(connection, one, call) is None] == [
            one for one in RUNTIME if one is not Role.RETIRER
        ]

    assert said is not None
    assert "rows in " in said
    assert "0 of them with a certificate" in said


def test_jobs_are_the_owners_who_may_run_them(url: str) -> None:
    jobs = rows(url, "SELECT owner::text FROM timescaledb_information.jobs WHERE job_id >= 1000")
    login = rows(url, "SELECT rolcanlogin, rolconnlimit FROM pg_roles WHERE rolname LIKE '%owner'")

    assert {owner for (owner,) in jobs} == {ACCESS.name(Role.OWNER)}
    assert (True, 0) in login


@each_role
def test_each_attempt_on_a_chunk_is_refused_over_a_connection(server: str, role: Role) -> None:
    native.stop_jobs(server)
    where, before = places(server), rows(server, STATE)

    accepted = [
        what
        for what, statement in OF_TIMESCALEDB.items()
        if not refused(url_of(role, server), statement.format(**where))
    ]

    assert accepted == []
    assert rows(server, STATE) == before


def refused(url: str, statement: str) -> bool:
    """By an error; a grant of what one cannot grant is refused with a warning."""
    said: list[str | None] = []
    with psycopg.connect(url, autocommit=True) as connection:
        connection.add_notice_handler(lambda notice: said.append(notice.sqlstate))
        try:
            connection.execute(statement.encode())
        except errors.InsufficientPrivilege:
            return True
    return said == ["01007"]  # no privileges were granted
