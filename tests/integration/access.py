"""The database as each role sees it, and with the seat belt off."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg
from pydantic import SecretStr

from connectors.timescale.access.belt import FUNCTION
from connectors.timescale.access.roles import LOGINS, Access, Role, url_as
from hadron.variables import variable

# Servers that trust this machine do not ask for it.
WORD = "of-the-tests-only"
ACCESS = Access(passwords={role: SecretStr(WORD) for role in LOGINS})


@contextmanager
def an_empty_database(server: str, options: str = "") -> Iterator[str]:
    """The URL of a database that is gone afterwards; `server` is an administrator's URL."""
    name = f"test_{uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0 {options}".encode())
    try:
        yield urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def url_of(role: Role, database: str, access: Access = ACCESS) -> str:
    """The URL with which a role logs in."""
    return url_as(database, access.name(role), WORD)


def databases(database: str) -> dict[str, str]:
    """The variables of a database: what a process is told, and the administrator's."""
    return {
        variable("database"): url_of(Role.SINK, database),
        variable("database_read"): url_of(Role.READER, database),
        variable("database_audit"): url_of(Role.AUDITOR, database),
        variable("database_migrate"): database,
        variable("database_retire"): url_of(Role.RETIRER, database),
    }


def unbelt(database: str) -> None:
    """As a superuser, take the triggers off, to do to rows what nobody else can."""
    with psycopg.connect(database, prepare_threshold=None) as connection:
        connection.execute(f"DROP FUNCTION IF EXISTS {FUNCTION} CASCADE")
