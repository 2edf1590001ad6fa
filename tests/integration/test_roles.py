"""Each role logs in and tries: what is written stays, and everybody can do their own work."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import errors, sql

from connectors.local.stack import Endpoints
from connectors.timescale.access import rights
from connectors.timescale.access.roles import (
    APPEND_ONLY,
    CALLERS,
    RIGHTS,
    RUNTIME,
    Role,
    kind_of,
)
from connectors.timescale.querying import queries
from tests.integration.access import ACCESS, an_empty_database, url_of
from tests.integration.archiving import a_bench, wait_until
from tests.integration.attempts import OF_A_TABLE, OF_READERS, OF_THE_DATABASE
from tests.integration.every_fact import by_topic
from tests.support import codec

each_role = pytest.mark.parametrize("role", RUNTIME)
OWNER = ACCESS.name(Role.OWNER)
REFUSALS = (errors.InsufficientPrivilege, errors.InvalidGrantOperation)
# What TimescaleDB does for nobody, and says so before it asks who wants it.
IMPOSSIBLE = re.compile("hypertable|continuous aggregate|columnstore")


@pytest.fixture(scope="module")
def filled(stack: Endpoints) -> Iterator[str]:
    """A database in which the archive, as the sink, has stored a fact of every kind."""
    with (
        an_empty_database(stack.database) as url,
        a_bench(stack.kafka, url, f"roles-{uuid4().hex[:8]}") as bench,
    ):
        for topic, facts in by_topic().items():
            bench.append(topic, [codec().encode(fact) for fact in facts])
        with bench.archive():
            wait_until(lambda: set(bench.stored()) == set(bench.produced))
        yield url


def tables(url: str) -> list[str]:
    """Every table that is never changed, as the database has them."""
    with psycopg.connect(url) as connection:
        found = rights.relations(connection, ACCESS)
    return [one.name for one in found if one.kind in APPEND_ONLY]


def places(connection: psycopg.Connection[Any], table: str) -> dict[str, Any]:
    """What the statements of `attempts` need to know of a table."""
    [(column,)] = connection.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum = 1", (table,)
    )
    key = connection.execute(
        """SELECT string_agg(quote_ident(attname), ', ' ORDER BY place)
        FROM pg_index, unnest(indkey) WITH ORDINALITY AS part (number, place)
            JOIN pg_attribute ON attnum = number
        WHERE indrelid = %s::regclass AND attrelid = indrelid AND indisunique
        GROUP BY indexrelid ORDER BY indexrelid LIMIT 1""",
        (table,),
    ).fetchone()
    assert key is not None, f"{table} has no unique index"
    return {"table": table, "column": column, "key": key[0]}


def state(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """All rows, and all that guards them."""
    guards = {
        "relations": "SELECT oid, relname, relowner, relacl::text, relhasrules, relrowsecurity,"
        " relpersistence, relnatts FROM pg_class WHERE relnamespace = 'public'::regnamespace",
        "triggers": "SELECT tgrelid, tgname, tgenabled, tgfoid FROM pg_trigger",
        "functions": "SELECT oid, proowner, prosrc, proacl::text FROM pg_proc"
        " WHERE pronamespace = 'public'::regnamespace",
        "columns": "SELECT attrelid, attname, attacl::text FROM pg_attribute"
        " WHERE attacl IS NOT NULL",
        "members": "SELECT roleid, member FROM pg_auth_members",
        "roles": "SELECT rolname, rolsuper, rolcanlogin, rolconfig FROM pg_roles",
        "schemas": "SELECT oid, nspowner, nspacl::text FROM pg_namespace"
        " WHERE nspname NOT LIKE 'pg_%temp%'",
    }
    with psycopg.connect(url) as connection:
        found = {
            name: sorted(connection.execute(query.encode()).fetchall(), key=repr)
            for name, query in guards.items()
        }
        for table in [*tables(url), "consumer_offsets", "alembic_version"]:
            query = sql.SQL("SELECT row_to_json(t)::text FROM {} AS t ORDER BY 1")
            found[table] = connection.execute(query.format(sql.Identifier(table))).fetchall()
    return found


def attempts(connection: psycopg.Connection[Any], url: str, role: Role) -> dict[str, str]:
    """Everything that a role is to try, by what it is called."""
    names = {one.value: ACCESS.name(one) for one in Role}
    names["database"] = connection.info.dbname
    found = {what: text.format(**names) for what, text in OF_THE_DATABASE.items()}
    for table in tables(url):
        where = {**names, **places(connection, table)}
        of_tables = OF_A_TABLE if may_add(role, table) else {**OF_A_TABLE, **OF_READERS}
        found |= {f"{what}: {table}": text.format(**where) for what, text in of_tables.items()}
    return found


def may_add(role: Role, table: str) -> bool:
    return "INSERT" in RIGHTS[kind_of(table, view=False)][role]


def tried(url: str, role: Role, statements: dict[str, str]) -> dict[str, str]:
    """Log in, run each by itself, and tell what was not refused by an error."""
    accepted: dict[str, str] = {}
    with psycopg.connect(url_of(role, url), autocommit=True) as connection:
        for what, statement in statements.items():
            try:
                connection.execute(statement.encode())
            except psycopg.Error as refused:
                unknown = isinstance(refused, errors.FeatureNotSupported)
                impossible = unknown and IMPOSSIBLE.search(str(refused))
                if not isinstance(refused, REFUSALS) and not impossible:
                    accepted[what] = f"{type(refused).__name__}: {refused}"
            else:
                accepted[what] = "no error"
    return accepted


def test_the_roles_and_tables_that_try_are_all_there_are(filled: str) -> None:
    with psycopg.connect(filled) as connection:
        like = f"{ACCESS.prefix}%"
        roles = connection.execute("SELECT rolname FROM pg_roles WHERE rolname LIKE %s", (like,))
        present = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        known = {name for (name,) in present}

        assert {name for (name,) in roles} == {ACCESS.name(role) for role in Role}
    assert {*RUNTIME, Role.MIGRATOR, Role.OWNER} == set(Role)
    assert {*tables(filled), "consumer_offsets", "alembic_version"} == known
    assert {"ticks", "order_executions", "dead_letters"} <= set(tables(filled))


@each_role
def test_nothing_that_is_written_can_be_changed(filled: str, role: Role) -> None:
    before = state(filled)
    with psycopg.connect(filled) as connection:
        everything = attempts(connection, filled, role)

    accepted = tried(filled, role, everything)

    assert state(filled) == before
    # PostgreSQL only warns who has some right of a table and none to hand on.
    silent = ("grant to oneself", "grant to all", "take from others", "grant a column to oneself")
    # Called with no certificate, the function finds no row that has one.
    own = ("retire rows",) if role is CALLERS["drop_retired"] else ()
    loud = {what: said for what, said in accepted.items() if not what.startswith((*silent, *own))}
    assert not loud, loud
    assert len(everything) > 30 * len(tables(filled))


@each_role
def test_a_row_cannot_be_copied_over(filled: str, role: Role) -> None:
    before = state(filled)

    for table in tables(filled):
        name = sql.Identifier(table)
        with psycopg.connect(filled) as connection:
            copy = connection.cursor().copy(sql.SQL("COPY {} TO STDOUT").format(name))
            with copy as out:
                rows = b"".join(out)
        adds = may_add(role, table)
        if adds and not rows:
            continue  # it may add rows that are not there
        wanted = errors.UniqueViolation if adds else errors.InsufficientPrivilege
        with (
            psycopg.connect(url_of(role, filled)) as connection,
            pytest.raises(wanted),
            connection.cursor().copy(sql.SQL("COPY {} FROM STDIN").format(name)) as again,
        ):
            again.write(rows)

    assert state(filled) == before


@pytest.mark.parametrize("mode", ["origin", "replica"])
def test_the_belt_holds_a_superuser_too(filled: str, mode: str) -> None:
    # TimescaleDB takes no trigger for replica mode where it compresses.
    firing = "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'immutable' AND %s"
    always = {"origin": "true", "replica": "tgenabled = 'A'"}[mode]
    with psycopg.connect(filled) as connection:
        held = {name for (name,) in connection.execute((firing % always).encode())}
        assert {"audit_chain"} <= held <= set(tables(filled))
        for table in held:
            where = places(connection, table)
            for what in ("update", "delete", "truncate", "truncate with others"):
                connection.execute(f"SET session_replication_role = {mode}".encode())
                with pytest.raises(errors.InsufficientPrivilege, match="rows are immutable"):
                    connection.execute(OF_A_TABLE[what].format(**where).encode())
                connection.rollback()


def test_nobody_logs_in_as_the_owner(filled: str) -> None:
    with pytest.raises(psycopg.OperationalError, match=f'"{OWNER}"'):
        psycopg.connect(url_of(Role.OWNER, filled))


def test_the_sink_may_stage_and_know_its_offsets_and_cannot_read_what_it_wrote(filled: str) -> None:
    with psycopg.connect(url_of(Role.SINK, filled), autocommit=True) as sink:
        sink.execute("CREATE TEMPORARY TABLE staged (at timestamptz)")
        assert sink.execute("SELECT count(*) > 0 FROM consumer_offsets").fetchone() == (True,)
        assert sink.execute("SELECT version_num FROM alembic_version").fetchone()
        with pytest.raises(errors.InsufficientPrivilege):
            sink.execute("SELECT FROM ticks")


def test_the_reader_answers_questions(filled: str) -> None:
    reader = url_of(Role.READER, filled)

    assert queries.decisions(reader)
    assert queries.orders(reader)
    assert queries.positions(reader)
    with psycopg.connect(reader) as connection:
        connection.execute("SELECT FROM candles_1m, candles_1h, ticks, consumer_offsets LIMIT 1")


@pytest.mark.parametrize("table", ["ticks", "audit_chain", "rows_retired", "consumer_offsets"])
def test_the_retirer_drops_no_row_that_its_certificate_does_not_name(
    filled: str, table: str
) -> None:
    before = state(filled)
    claimed = """
        INSERT INTO rows_retired (table_name, chunk, topic, partition, first_offset, last_offset,
            records, offset_runs, from_ns, until_ns, root, first_entry, last_entry, entry_hash, why,
            anchored_at_ns, signature)
        VALUES (%s, '', 'ticks.fast', 0, 0, 1000000, 1, '{0, 1}', 0, 0, 'mine', 0, 0, '', '', 0, '')
    """
    with psycopg.connect(url_of(Role.RETIRER, filled)) as retirer:
        retirer.execute(claimed, (table,))
        with pytest.raises((errors.IntegrityConstraintViolation, errors.UndefinedColumn)):
            retirer.execute("SELECT drop_retired(%s, '', ARRAY['mine'::bytea])", (table,))
        retirer.rollback()

    assert state(filled) == before


def test_the_auditor_reads_everything(filled: str) -> None:
    with psycopg.connect(filled) as connection:
        everything = [one.name for one in rights.relations(connection, ACCESS)]
    with psycopg.connect(url_of(Role.AUDITOR, filled)) as auditor:
        for name in everything:
            auditor.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(name)))
    assert {"candles_1h", "consumer_offsets", *tables(filled)} <= set(everything)
