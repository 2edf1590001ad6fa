"""The database: its extension, its schema and what our role may do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hadron.cli.checks.finding import Finding, error, listed, note, sound, warning
from hadron.variables import variable

if TYPE_CHECKING:
    from connectors.timescale.access.standing import Standing
    from connectors.timescale.inspection import Database


def unset() -> Finding:
    """No database is known."""
    return error(
        "database",
        f"{variable('database')} is not set, and no local stack runs",
        wanted="a database for the archive",
        remedy=f"set {variable('database')}, or start the local stack with `hadron up`",
    )


def unreachable(problem: Exception) -> Finding:
    """It does not answer, so its schema was not looked at."""
    return error(
        "database",
        f"{problem}; its schema is not checked",
        wanted="a database that answers",
        remedy=f"start the local stack with `hadron up`, or correct {variable('database')}",
    )


def timescale(seen: Database) -> Finding:
    """TimescaleDB in its Community edition; plain PostgreSQL works, but does not scale."""
    if seen.timescaledb is None:
        return warning(
            "timescaledb",
            f"PostgreSQL {seen.server} without TimescaleDB: plain tables, candles are views",
            wanted="TimescaleDB for hypertables, compression and continuous aggregates",
            remedy="use a TimescaleDB server where much is stored; for a laptop this is fine",
        )
    if seen.licence != "timescale":
        return error(
            "timescaledb",
            f"timescaledb.license is {seen.licence!r}: no compression, aggregates and policies",
            wanted="'timescale', the Community edition",
            remedy="install the Community edition and set timescaledb.license = 'timescale'",
        )
    return sound("timescaledb", f"TimescaleDB {seen.timescaledb}, PostgreSQL {seen.server}")


def revision(seen: Database, head: str) -> Finding:
    """The schema is the one that this code writes."""
    if seen.hidden:
        return note(
            "migrations",
            f"role {seen.role} may not read alembic_version",
            wanted=head,
            remedy="run doctor as the role that migrates, to have this checked",
        )
    if seen.revision != head:
        return error(
            "migrations",
            f"revision {seen.revision or 'none'}",
            wanted=head,
            remedy="run `hadron migrate`",
        )
    return sound("migrations", f"revision {head}")


def tables(seen: Database) -> Finding:
    """Every table and view that is written or asked exists."""
    if seen.missing:
        dropped = "restore them from a backup, or migrate an empty database and replay the log"
        return error(
            "tables",
            f"missing: {listed(seen.missing)}",
            wanted="every table and view of the schema",
            remedy="run `hadron migrate`" if seen.revision is None else dropped,
        )
    return sound("tables", "all exist")


def grants(seen: Database) -> Finding:
    """The archive's role may insert."""
    if seen.refused:
        return error(
            "grants",
            f"role {seen.role} may not insert into {listed(seen.refused)}",
            wanted="INSERT on every table of the archive",
            remedy=f"GRANT INSERT ON {listed(seen.refused)} TO {seen.role}",
        )
    return sound("grants", f"role {seen.role} may insert")


def role(seen: Standing) -> Finding:
    """The role that processes write as can change nothing; on one's own machine it may."""
    if not (seen.superuser or seen.owner):
        return sound("role", f"{seen.role} owns nothing")
    what = "a superuser" if seen.superuser else "the owner of the tables"
    said = f"processes write as {seen.role}, {what}, who can change what is stored"
    wanted = "a role that may add rows and do nothing else"
    remedy = (
        "run `hadron migrate`, and let the URL of the processes log in as the role sink:"
        f" {variable('database')}=postgresql://hadron_sink:...; keep this one in"
        f" {variable('database_migrate')}"
    )
    if seen.local:
        return note("role", said, wanted=wanted, remedy=remedy)
    return error("role", said, wanted=wanted, remedy=remedy)


def guards(seen: Standing) -> Finding:
    """Owners, grants and triggers are as declared."""
    if seen.migrated and seen.differences:
        return error(
            "guards",
            listed(seen.differences),
            wanted="owners, grants and triggers as this code declares them",
            remedy="find out who changed them, verify what is stored, and run `hadron migrate`",
        )
    return sound("guards", "as declared" if seen.migrated else "nothing is there to guard")
