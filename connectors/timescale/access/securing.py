"""Makes roles, owners, grants and triggers what they are declared to be; said twice, it is done."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import psycopg
from psycopg import errors, sql

from connectors.timescale.access import ground, logins, rights
from connectors.timescale.access.rights import Difference
from connectors.timescale.access.roles import Access, Role
from connectors.timescale.connection import Connection
from connectors.timescale.errors import our_errors
from hadron.errors import HadronError

Progress = Callable[[str], None]

_EXTENDED = "SELECT FROM pg_extension WHERE extname = 'timescaledb'"
# Jobs do not follow their table to its new owner: they go, and are made again as policies are.
_LEFT_BEHIND = """
    SELECT delete_job(job_id) FROM timescaledb_information.jobs AS job
    JOIN pg_class ON relname = hypertable_name AND relnamespace::regnamespace::text
        = quote_ident(hypertable_schema)
    WHERE pg_get_userbyid(relowner) = %(owner)s AND job.owner::text <> %(owner)s
"""
# A migration that drops candles ends the job that makes them just then; the owner may not do that
# to a worker of whom the job was before. Those who take over may.
_OTHERS_AT_WORK = """
    SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
    JOIN timescaledb_information.jobs USING (application_name)
    WHERE datname = current_database() AND usename <> %(owner)s AND job_id >= 1000
        AND pg_has_role(usesysid, 'USAGE')
"""


def make_roles(connection: Connection, access: Access, progress: Progress) -> None:
    """Make the roles of the server. Raise HadronError where this role may not."""
    jobs = connection.execute(_EXTENDED).fetchone() is not None
    logins.ensure(connection, access, jobs=jobs, progress=progress)


def take_over(connection: Connection, access: Access, progress: Progress) -> None:
    """Give the owner its schema and its tables, and be the owner until the transaction ends.

    Raise HadronError with the statement that this role may not run.
    """
    _mend(connection, ground.of_database(connection, access))
    _mend(connection, rights.of_owners(connection, access))
    for open_ in [*ground.of_extension(connection, access)]:
        try:
            with connection.transaction():
                connection.execute(open_.mend)
        except errors.InsufficientPrivilege:
            progress(f"{open_.seen}: have a superuser run {open_.mend.as_string()}")
    if connection.execute(_EXTENDED).fetchone() is not None:
        connection.execute(_LEFT_BEHIND, {"owner": access.name(Role.OWNER)})
        connection.execute(_OTHERS_AT_WORK, {"owner": access.name(Role.OWNER)})
    become_owner(connection, access)


def become_owner(connection: Connection, access: Access) -> None:
    """Be the owner until the transaction ends, so that what is made is the owner's."""
    owner = sql.Identifier(access.name(Role.OWNER))
    connection.execute(sql.SQL("SET LOCAL ROLE {}").format(owner))


def stay_retirer(connection: Connection, access: Access) -> None:
    """Be the role that lets rows go for the rest of the session, whoever logged in.

    Raise HadronError where the login may not.
    """
    retirer = access.name(Role.RETIRER)
    try:
        connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(retirer)))
    except (errors.InsufficientPrivilege, errors.UndefinedObject, errors.InvalidParameterValue):
        raise HadronError(
            f"role {connection.info.user} may not become {retirer}, which lets rows go; wanted"
            " HADRON_DATABASE_RETIRE of that role, made by `hadron migrate`, or"
            " HADRON_DATABASE_MIGRATE of one that may become it"
        ) from None


def secure(connection: Connection, access: Access, progress: Progress) -> None:
    """As the owner, give every table its grants and triggers."""
    mended = _mend(connection, rights.of_relations(connection, access))
    mended += _mend(connection, rights.of_routines(connection, access))
    if mended:
        progress(f"rights: {mended} grants and triggers made as declared")


def differences(connection: Connection, access: Access) -> list[str]:
    """Whatever is not as declared, in sentences; any role may ask."""
    known = "SELECT count(*) FROM pg_roles WHERE rolname = ANY(%s)"
    [(count,)] = connection.execute(known, ([*map(access.name, Role)],))
    if count < len(Role):
        return [f"roles {', '.join(map(access.name, Role))} are not all there"]
    found = (
        *ground.of_database(connection, access),
        *ground.of_extension(connection, access),
        *rights.of_owners(connection, access),
        *rights.of_relations(connection, access),
        *rights.of_routines(connection, access),
    )
    return [*logins.powers(connection, access), *(one.seen for one in found)]


def secured(url: str, access: Access) -> None:
    """Make the rights of a database's tables as declared, as after a migration."""
    with our_errors(), psycopg.connect(url, prepare_threshold=None) as connection:
        take_over(connection, access, lambda _: None)
        secure(connection, access, lambda _: None)


def _mend(connection: Connection, found: Iterable[Difference]) -> int:
    wanted = list(found)  # asked before anything changes
    for one in wanted:
        try:
            connection.execute(one.mend)
        except errors.InsufficientPrivilege as refused:
            raise HadronError(
                f"{one.seen}; role {connection.info.user} may not mend it"
                f" ({refused.diag.message_primary}): run `hadron migrate` as a superuser or as the"
                f" owner of the database, or have one run: {one.mend.as_string()}"
            ) from refused
    return len(wanted)
