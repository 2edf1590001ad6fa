"""`migrate` makes roles and rights, again and again, with as few rights as a cloud gives."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg import errors
from pydantic import SecretStr

from connectors.local import postgres
from connectors.local.stack import Endpoints
from connectors.timescale import schema
from connectors.timescale.access import rights
from connectors.timescale.access.roles import LOGINS, RUNTIME, Access, Role, url_as
from connectors.timescale.access.securing import differences
from connectors.timescale.access.standing import standing
from hadron.__main__ import run
from hadron.cli.exits import Exit
from hadron.errors import HadronError
from tests.integration.access import ACCESS, an_empty_database, url_of


def execute(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def seen(url: str, access: Access = ACCESS) -> list[str]:
    with psycopg.connect(url) as connection:
        return differences(connection, access)


@contextmanager
def of_prefix(server: str, prefix: str) -> Iterator[Access]:
    """Roles of this test alone, which are gone after its databases are."""
    access = Access(prefix)
    try:
        yield access
    finally:
        names = ", ".join(map(access.name, Role))
        execute(server, f"DROP OWNED BY {names} CASCADE", f"DROP ROLE {names}")


def test_everything_in_the_schema_belongs_to_the_owner_with_the_rights_declared(
    database: str,
) -> None:
    schema.migrate(database, access=ACCESS)

    owner = ACCESS.name(Role.OWNER)
    with psycopg.connect(database) as connection:
        things = """
            SELECT relname, pg_get_userbyid(relowner) FROM pg_class AS thing
            WHERE relnamespace = 'public'::regnamespace
                AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = thing.oid AND deptype = 'e')
            UNION ALL
            SELECT proname, pg_get_userbyid(proowner) FROM pg_proc AS thing
            WHERE pronamespace = 'public'::regnamespace
                AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = thing.oid AND deptype = 'e')
        """
        owners: dict[str, str] = dict(connection.execute(things).fetchall())
        known = {one.name for one in rights.relations(connection, ACCESS)}
    assert {name for name, whose in owners.items() if whose != owner} == set()
    assert known <= set(owners)
    assert len(known) > 10
    assert seen(database) == []


def test_a_second_migration_finds_nothing_to_mend(database: str) -> None:
    schema.migrate(database, access=ACCESS)
    said: list[str] = []

    schema.migrate(database, said.append)

    assert not [line for line in said if "rights" in line or "role" in line]


DRIFTS = {
    "GRANT UPDATE ON ticks TO {sink}": "may INSERT, UPDATE ticks",
    "GRANT UPDATE (price) ON ticks TO {reader}": "may SELECT, UPDATE ticks",
    "GRANT INSERT ON ticks TO {sink} WITH GRANT OPTION": "INSERT WITH GRANT OPTION ticks",
    "GRANT SELECT ON ticks TO PUBLIC": "PUBLIC may SELECT ticks",
    "GRANT DELETE ON positions TO pg_monitor": "pg_monitor may DELETE positions",
    "REVOKE INSERT ON alerts FROM {sink}": "may nothing of alerts",
    "ALTER TABLE ticks OWNER TO CURRENT_USER": "ticks belongs to",
    "ALTER TABLE audit_chain DISABLE TRIGGER USER": "trigger immutable of audit_chain",
    "ALTER TABLE audit_chain ENABLE TRIGGER immutable": "trigger immutable of audit_chain",
    "DROP TRIGGER immutable_rows ON dead_letters": "trigger immutable_rows of dead_letters",
    "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql"
    " AS 'BEGIN RETURN OLD; END'": "function refuse_change",
    "DROP FUNCTION refuse_change CASCADE": "trigger immutable of ticks",
    "GRANT EXECUTE ON FUNCTION drop_retired(text, text, bytea[]) TO PUBLIC": (
        "PUBLIC, {retirer} may call drop_retired(text,text,bytea[]), wanted {retirer}"
    ),
    "REVOKE EXECUTE ON FUNCTION drop_retired(text, text, bytea[]) FROM {retirer}": (
        "nobody may call drop_retired(text,text,bytea[])"
    ),
    "GRANT EXECUTE ON FUNCTION drop_retired(text, text, bytea[]) TO {sink}": (
        "{retirer}, {sink} may call drop_retired(text,text,bytea[]), wanted {retirer}"
    ),
    "GRANT CREATE ON SCHEMA public TO PUBLIC": "may create in schema public",
    "REVOKE TEMPORARY ON DATABASE {database} FROM PUBLIC, {sink}": "no right TEMPORARY",
    "CREATE TABLE of_tomorrow (at int); ALTER TABLE of_tomorrow OWNER TO {owner}": (
        "trigger immutable of of_tomorrow"
    ),
}


def test_whatever_somebody_changed_is_seen_and_mended(database: str) -> None:
    schema.migrate(database, access=ACCESS)
    names = {role.value: ACCESS.name(role) for role in Role}
    names["database"] = database.rpartition("/")[2].partition("?")[0]

    for statement, sentence in DRIFTS.items():
        execute(database, statement.format(**names))
        found = seen(database)
        assert any(sentence.format(**names) in one for one in found), (statement, found)
        schema.migrate(database)
        assert seen(database) == [], statement


def test_a_role_that_was_given_more_is_refused_by_name(
    stack: Endpoints, database: str, unique: str
) -> None:
    prefix = unique.replace("-", "_") + "_"
    with of_prefix(stack.database, prefix) as access:
        schema.migrate(database, access=access)
        sink, owner = access.name(Role.SINK), access.name(Role.OWNER)
        for given, taken, said in (
            (f"ALTER ROLE {sink} CREATEROLE", f"ALTER ROLE {sink} NOCREATEROLE", "CREATEROLE"),
            (f"GRANT {owner} TO {sink}", f"REVOKE {owner} FROM {sink}", f"member of {owner}"),
        ):
            execute(stack.database, given)
            with pytest.raises(HadronError, match=f"role {sink} is .*{said}"):
                schema.migrate(database, access=access)
            execute(stack.database, taken)
        execute(database, f"DROP OWNED BY {', '.join(map(access.name, Role))} CASCADE")


def test_a_role_that_may_make_roles_and_owns_the_database_is_enough(
    stack: Endpoints, unique: str
) -> None:
    manager, prefix = f"m_{unique.replace('-', '_')}", f"c_{unique.replace('-', '_')}_"
    execute(stack.database, f"CREATE ROLE {manager} LOGIN CREATEROLE PASSWORD 'managing'")
    try:
        with (
            of_prefix(stack.database, prefix) as access,
            an_empty_database(stack.database, f"OWNER {manager}") as url,
        ):
            managing = url_as(url, manager, "managing")
            passwords = dict.fromkeys(LOGINS, SecretStr("given"))
            schema.migrate(managing, access=Access(prefix, passwords))

            assert seen(managing, access) == []
            schema.migrate(managing, access=access)
            migrator = url_as(url, access.name(Role.MIGRATOR), "given")
            schema.migrate(migrator, access=access)
            execute(migrator, "CREATE TABLE of_the_migrator (at int)")
            schema.migrate(migrator, access=access)
            assert seen(url, access) == []
            with pytest.raises(HadronError, match=r"may not make.*ALTER ROLE .* PASSWORD \.\.\."):
                schema.migrate(migrator, access=Access(prefix, passwords))
            sink = url_as(url, access.name(Role.SINK), "given")
            assert not standing(sink, access).owner
            assert standing(migrator, access).owner
    finally:
        execute(stack.database, f"DROP ROLE {manager}")


def test_who_may_not_make_roles_is_told_the_statement(stack: Endpoints, unique: str) -> None:
    plain, prefix = f"p_{unique.replace('-', '_')}", f"n_{unique.replace('-', '_')}_"
    execute(stack.database, f"CREATE ROLE {plain} LOGIN PASSWORD 'plain'")
    try:
        with an_empty_database(stack.database, f"OWNER {plain}") as url:
            wanted = f'CREATE ROLE "{prefix}owner" NOLOGIN; run `hadron migrate` as a superuser'
            with pytest.raises(HadronError, match=re.escape(wanted)):
                schema.migrate(url_as(url, plain, "plain"), access=Access(prefix))
            assert schema.current(url) is None
    finally:
        execute(stack.database, f"DROP ROLE {plain}")


@pytest.mark.parametrize("role", RUNTIME)
def test_a_runtime_role_cannot_migrate(database: str, role: Role) -> None:
    schema.migrate(database, access=ACCESS)

    with pytest.raises(HadronError, match=f'GRANT "{ACCESS.name(Role.OWNER)}" TO CURRENT_USER'):
        schema.migrate(url_of(role, database))


def test_nobody_but_jobs_is_the_owner_where_jobs_need_one(
    stack: Endpoints, database: str, unique: str
) -> None:
    with of_prefix(stack.database, unique.replace("-", "_") + "_") as access:
        schema.migrate(database, access=access)
        owner = access.name(Role.OWNER)
        with pytest.raises(
            psycopg.OperationalError, match=r"not permitted to log in|too many connections"
        ):
            psycopg.connect(url_as(database, owner))
        # As on TimescaleDB.
        execute(stack.database, f"ALTER ROLE {owner} LOGIN CONNECTION LIMIT 0")
        with pytest.raises(psycopg.OperationalError, match="too many connections for role"):
            psycopg.connect(url_as(database, owner))
        execute(database, f"DROP OWNED BY {', '.join(map(access.name, Role))} CASCADE")


@pytest.fixture
def strict() -> Iterator[tuple[str, Path]]:
    """A server that asks everybody but its administrator for a password, and its log."""
    directory = Path(tempfile.mkdtemp(prefix="hadron-strict-"))
    try:
        url = postgres.start(directory)
        rules = ("postgres 127.0.0.1/32 trust", "all 127.0.0.1/32 scram-sha-256")
        hba = "".join(f"host all {rule}\n" for rule in rules)
        (directory / "data" / "pg_hba.conf").write_text(hba)
        execute(url, "ALTER SYSTEM SET log_statement = 'all'", "SELECT pg_reload_conf()")
        yield url, directory / "server.log"
    finally:
        postgres.stop(directory)
        shutil.rmtree(directory)


def test_a_password_is_set_and_rotated_and_shows_nowhere(
    strict: tuple[str, Path], capfd: pytest.CaptureFixture[str]
) -> None:
    url, log = strict
    environ = {"HADRON_KAFKA": "none:1", "HADRON_DATABASE_MIGRATE": url}
    sink = Access().name(Role.SINK)

    def enters(password: str) -> bool:
        try:
            psycopg.connect(url_as(url, sink, password)).close()
        except psycopg.OperationalError as refused:
            return "password" not in str(refused)
        return True

    assert run(["migrate"], environ) == Exit.OK
    assert not enters("")
    assert run(["migrate"], {**environ, "HADRON_SINK_PASSWORD": "first-of-two"}) == Exit.OK
    assert (enters("first-of-two"), enters("second-of-two")) == (True, False)

    with psycopg.connect(url_as(url, sink, "first-of-two"), autocommit=True) as running:
        assert run(["migrate"], {**environ, "HADRON_SINK_PASSWORD": "second-of-two"}) == Exit.OK
        running.execute("SELECT FROM consumer_offsets")  # who is in stays in
    assert (enters("first-of-two"), enters("second-of-two")) == (False, True)

    assert run(["migrate"], environ) == Exit.OK
    assert enters("second-of-two")  # what is not given is kept
    said = capfd.readouterr()
    everything = said.out + said.err + "".join(path.read_text() for path in log.parent.glob("*log"))
    assert "-of-two" not in everything
    assert "SCRAM-SHA-256" in everything  # so the log would have shown it
    assert f"passwords set: {sink}" in said.err


def test_a_role_that_is_not_there_yet_says_what_to_do(database: str) -> None:
    with pytest.raises(HadronError, match=r'role "of_nobody_sink" does not exist; run `hadron'):
        schema.current(url_as(database, "of_nobody_sink"))


def test_a_view_or_table_of_somebody_else_is_left_alone(database: str) -> None:
    execute(database, "CREATE TABLE theirs (at int)", "GRANT ALL ON theirs TO PUBLIC")

    schema.migrate(database, access=ACCESS)

    execute(url_of(Role.READER, database), "DELETE FROM theirs")
    with pytest.raises(errors.InsufficientPrivilege):
        execute(url_of(Role.READER, database), "DELETE FROM ticks")
