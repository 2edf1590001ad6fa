"""The state of the database's schema, and the way forward; there is none back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from psycopg import errors, sql
from sqlalchemy import Connection, create_engine, pool

from connectors.timescale.access import securing
from connectors.timescale.access.roles import Access
from connectors.timescale.errors import our_errors
from connectors.timescale.storage import policies
from connectors.timescale.storage.windows import FOR_EVER, Keep
from hadron.errors import HadronError

_LOCK = 0x4841_4452  # "HADR": two migrations at once wait for each other


def migrate(
    url: str,
    progress: Callable[[str], None] = lambda _: None,
    *,
    keep: Keep = FOR_EVER,
    access: Access = Access(),  # noqa: B008
) -> str:
    """Bring a database to `head()` in one transaction and return its revision.

    Makes the TimescaleDB extension where the server has it, with the policies that `keep` asks for,
    and the roles: all tables are the owner's afterwards, with the rights that are declared.
    Raise TransientError if the database does not answer, HadronError if its TimescaleDB is the
    Apache edition or a right is missing.
    """
    with (
        our_errors(),
        psycopg.connect(url, autocommit=True, prepare_threshold=None) as session,
    ):
        session.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
        progress(_timescale(session))
        later: list[str] = []
        securing.make_roles(session, access, later.append)
        session.autocommit = False
        engine = create_engine(
            "postgresql+psycopg://", creator=lambda: session, poolclass=pool.StaticPool
        )
        with engine.begin() as connection:
            securing.take_over(session, access, later.append)
            before = _revision(connection)
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            after = _revision(connection)
            securing.secure(session, access, later.append)
        progress(f"schema {after}" if before == after else f"schema {before or 'empty'} -> {after}")
        # Policies run as whoever makes them.
        securing.become_owner(session, access)
        progress(_policies(session, keep))
    for sentence in later:
        progress(sentence)
    return after or ""


def current(url: str) -> str | None:
    """The revision of a database; None if it was never migrated."""
    with our_errors(), psycopg.connect(url, autocommit=True) as connection:
        try:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        except errors.UndefinedTable:
            return None
    return str(row[0]) if row else None


def head() -> str:
    """The revision that this code needs."""
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


def timescale_version(url: str) -> str | None:
    """The version of TimescaleDB in this database; None on plain PostgreSQL."""
    with our_errors(), psycopg.connect(url, autocommit=True) as connection:
        return installed(connection)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.set_main_option("path_separator", "os")
    return config


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _timescale(connection: psycopg.Connection) -> str:
    if installed(connection) is None:
        listed = "SELECT 1 FROM pg_available_extensions WHERE name = 'timescaledb'"
        if connection.execute(listed).fetchone() is None:
            return "this server has no TimescaleDB: plain tables and views of the same names"
        try:
            connection.execute("CREATE EXTENSION IF NOT EXISTS timescaledb")
        except errors.InsufficientPrivilege:
            role = connection.info.user
            return (
                f"role {role} may not create the extension timescaledb: plain tables and views of"
                " the same names; to have hypertables, create it in an empty database first"
            )
    _demand_community(connection)
    return f"TimescaleDB {installed(connection)}"


def _policies(connection: psycopg.Connection, keep: Keep) -> str:
    if installed(connection) is not None:
        return f"policies: {policies.apply(connection, keep)} changed"
    return "policies: none"


def installed(connection: psycopg.Connection) -> str | None:
    """The same, asked on a connection."""
    found = "SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'"
    row = connection.execute(found).fetchone()
    return str(row[0]) if row else None


def _demand_community(connection: psycopg.Connection) -> None:
    row = connection.execute(sql.SQL("SHOW timescaledb.license")).fetchone()
    if row is None or row[0] != "timescale":
        seen = row[0] if row else "none"
        raise HadronError(
            f"timescaledb.license is {seen!r}, wanted 'timescale': the Apache edition has no"
            " compression, continuous aggregates and policies; install the Community edition"
        )
