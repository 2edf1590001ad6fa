"""Makes the roles, as a superuser or as a role that may make roles.

A role that may log in has no password until one is set: then a server that asks for passwords
lets nobody in, and one that trusts its own machine lets the machine in.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import LiteralString

from psycopg import errors, sql

from connectors.timescale.access.roles import LOGINS, RUNTIME, Access, Role
from connectors.timescale.connection import Connection
from hadron.errors import HadronError

Progress = Callable[[str], None]

# Other databases of the server may make the same roles at the same moment.
_RACES = (errors.DuplicateObject, errors.UniqueViolation, errors.InternalError_)
_ATTEMPTS = 5
_MIGHT = ("SUPERUSER", "CREATEROLE", "CREATEDB", "REPLICATION", "BYPASSRLS")
_KNOWN = """
    SELECT rolname, rolcanlogin, rolconnlimit,
        rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls
    FROM pg_roles WHERE rolname = ANY(%s)
"""
_POWERS = """
    SELECT rolname FROM pg_roles
    WHERE pg_has_role(%s, oid, 'MEMBER') AND rolname <> %s
        AND (rolsuper OR rolname = ANY(%s) OR rolname = ANY(ARRAY[
            'pg_write_all_data', 'pg_maintain', 'pg_database_owner',
            'pg_write_server_files', 'pg_execute_server_program']))
"""


def ensure(connection: Connection, access: Access, *, jobs: bool, progress: Progress) -> None:
    """Make what is missing and set the passwords that are given; what is there is kept.

    `jobs`: TimescaleDB runs its policies as the tables' owner. Raise HadronError with the
    statement that this role may not run, or naming a role that may do more than it should.
    """
    for attempt in range(_ATTEMPTS):
        try:
            _ensure(connection, access, jobs=jobs, progress=progress)
            for role, password in access.passwords.items():
                _set_password(connection, access.name(role), password.get_secret_value())
            break
        except _RACES:
            if attempt == _ATTEMPTS - 1:
                raise
    _refuse_powers(connection, access)
    if access.passwords:
        progress(f"passwords set: {', '.join(map(access.name, access.passwords))}")


def powers(connection: Connection, access: Access) -> list[str]:
    """What a runtime role might do beside its grants: one sentence each."""
    found = []
    for role in RUNTIME:
        name = access.name(role)
        [*rows] = connection.execute(_KNOWN, ([name],))
        mights = [might for row in rows for might, has in zip(_MIGHT, row[3:], strict=True) if has]
        others = [access.name(Role.OWNER), access.name(Role.MIGRATOR)]
        groups = [group for (group,) in connection.execute(_POWERS, (name, name, others))]
        if rows and (mights or groups):
            said = [*mights, *(f"member of {group}" for group in groups)]
            found.append(f"role {name} is {', '.join(said)}")
    return found


def _ensure(connection: Connection, access: Access, *, jobs: bool, progress: Progress) -> None:
    known = {row[0]: row for row in connection.execute(_KNOWN, ([*map(access.name, Role)],))}
    owner, migrator = access.name(Role.OWNER), access.name(Role.MIGRATOR)
    for role in Role:
        if access.name(role) not in known:
            _run(connection, _create(access.name(role), login=role in LOGINS))
            progress(f"role {access.name(role)} made")
    if jobs and not (known.get(owner) or (owner, False))[1]:
        # A background job must run as a role that may log in; the limit is for people only.
        _run(connection, sql.SQL("ALTER ROLE {} LOGIN CONNECTION LIMIT 0"), owner)
    if not _holds(connection, "SELECT pg_has_role(%s, %s, 'MEMBER')", migrator, owner):
        _run(connection, sql.SQL("GRANT {} TO {}"), owner, migrator)
    # Who may do everything may let rows go, too, where nobody has a login for that.
    retirer = access.name(Role.RETIRER)
    if not _holds(connection, "SELECT pg_has_role(%s, %s, 'MEMBER')", migrator, retirer):
        _run(connection, sql.SQL("GRANT {} TO {}"), retirer, migrator)
    # Whatever the migrator makes is the owner's.
    if not _holds(connection, _BECOMES, migrator, f"role={owner}"):
        _run(connection, sql.SQL("ALTER ROLE {} SET role TO {}"), migrator, owner)
    old = connection.info.server_version < 160_000
    may_become = "SELECT pg_has_role(%s, 'MEMBER')" if old else "SELECT pg_has_role(%s, 'SET')"
    if not _holds(connection, may_become, owner):
        _run(connection, sql.SQL("GRANT {} TO CURRENT_USER"), owner)


_BECOMES = """
    SELECT EXISTS (SELECT FROM pg_db_role_setting JOIN pg_roles ON pg_roles.oid = setrole
        WHERE rolname = %s AND setdatabase = 0 AND %s = ANY(setconfig))
"""


def _create(name: str, *, login: bool) -> sql.Composed:
    verb = sql.SQL("CREATE ROLE {} LOGIN" if login else "CREATE ROLE {} NOLOGIN")
    return verb.format(sql.Identifier(name))


def _set_password(connection: Connection, name: str, password: str) -> None:
    # The server gets the verifier only, so that no log of statements can show the password.
    made = connection.pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256")
    statement = sql.SQL("ALTER ROLE {} PASSWORD {}").format(
        sql.Identifier(name), sql.Literal(made.decode())
    )
    _run(connection, statement, shown=f"ALTER ROLE {name} PASSWORD ...")


def _refuse_powers(connection: Connection, access: Access) -> None:
    if found := powers(connection, access):
        raise HadronError(
            f"{'; '.join(found)}; wanted roles that may do nothing but what they are granted:"
            " take that away, or choose another HADRON_ROLE_PREFIX"
        )


def _run(
    connection: Connection, statement: sql.SQL | sql.Composed, *names: str, shown: str = ""
) -> None:
    if isinstance(statement, sql.SQL):
        statement = statement.format(*map(sql.Identifier, names))
    try:
        connection.execute(statement)
    except errors.InsufficientPrivilege as refused:
        raise HadronError(
            f"role {connection.info.user} may not make Hadron's roles"
            f" ({refused.diag.message_primary}): {shown or statement.as_string()}; run"
            " `hadron migrate` as a superuser or as a role with CREATEROLE"
            " (HADRON_DATABASE_MIGRATE), or have an administrator run this statement"
        ) from refused


def _holds(connection: Connection, query: LiteralString, *parameters: str) -> bool:
    row = connection.execute(query, parameters).fetchone()
    return bool(row and row[0])
