"""Who may do what in the database. Nobody may change what is written, and whom the log needs
for nothing else may do nothing else.

Roles belong to the whole server: two Hadrons on one server need two prefixes.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from urllib.parse import quote, urlsplit, urlunsplit

import msgspec
from pydantic import SecretStr

from hadron.settings import Settings


class Role(StrEnum):
    """`name` of it: the prefix and its value."""

    OWNER = "owner"  # owns every table, view and function; nobody can log in as it
    MIGRATOR = "migrator"  # may become the owner
    SINK = "sink"  # the archive
    READER = "reader"  # questions
    AUDITOR = "auditor"  # questions, and verification
    RETIRER = "retirer"  # lets rows past their age go, with a certificate


RUNTIME = (Role.SINK, Role.READER, Role.AUDITOR, Role.RETIRER)
LOGINS = (Role.MIGRATOR, *RUNTIME)


class Kind(StrEnum):
    """What a relation is, as far as rights go."""

    AUDIT = "audit"  # rows that are never changed
    CHAIN = "chain"  # what proves them: never changed either
    CERTIFICATES = "certificates"  # what proves that they went: the same
    OFFSETS = "offsets"
    SCHEMA = "schema"
    VIEW = "view"


APPEND_ONLY = frozenset({Kind.AUDIT, Kind.CHAIN, Kind.CERTIFICATES})
# Every other table is of kind AUDIT: a table that nobody thought of is closed.
KINDS: Mapping[str, Kind] = {
    "alembic_version": Kind.SCHEMA,
    "audit_chain": Kind.CHAIN,
    "rows_retired": Kind.CERTIFICATES,
    "consumer_offsets": Kind.OFFSETS,
}
_NONE: frozenset[str] = frozenset()
_READ = frozenset({"SELECT"})
_ADD = frozenset({"INSERT"})
RIGHTS: Mapping[Kind, Mapping[Role, frozenset[str]]] = {
    Kind.AUDIT: {
        Role.SINK: _ADD,
        Role.READER: _READ,
        Role.AUDITOR: _READ,
        Role.RETIRER: _READ,
    },
    # Who goes on with a chain must know its end.
    Kind.CHAIN: {
        Role.SINK: _ADD | _READ,
        Role.READER: _NONE,
        Role.AUDITOR: _READ,
        Role.RETIRER: _READ,
    },
    Kind.CERTIFICATES: {
        Role.SINK: _NONE,
        Role.READER: _NONE,
        Role.AUDITOR: _READ,
        Role.RETIRER: _ADD | _READ,
    },
    Kind.OFFSETS: {
        Role.SINK: _ADD | _READ | {"UPDATE"},
        Role.READER: _READ,
        Role.AUDITOR: _READ,
        Role.RETIRER: _READ,
    },
    Kind.SCHEMA: dict.fromkeys(RUNTIME, _READ),
    Kind.VIEW: {
        Role.SINK: _NONE,
        Role.READER: _READ,
        Role.AUDITOR: _READ,
        Role.RETIRER: _NONE,
    },
}
# Functions that do what their callers may not, each with the one role that may call it.
CALLERS: Mapping[str, Role] = {"drop_retired": Role.RETIRER}


class Access(msgspec.Struct, frozen=True):
    """How the roles of one Hadron are called, and the passwords that are to be set."""

    prefix: str = "hadron_"
    passwords: Mapping[Role, SecretStr] = {}

    def name(self, role: Role) -> str:
        return f"{self.prefix}{role}"


def access_of(settings: Settings) -> Access:
    """The names and passwords that the settings give."""
    given = {
        Role.MIGRATOR: settings.migrator_password,
        Role.SINK: settings.sink_password,
        Role.READER: settings.reader_password,
        Role.AUDITOR: settings.auditor_password,
        Role.RETIRER: settings.retirer_password,
    }
    known = {role: password for role, password in given.items() if password is not None}
    return Access(settings.role_prefix, known)


def kind_of(name: str, *, view: bool) -> Kind:
    """The kind of a relation."""
    return Kind.VIEW if view else KINDS.get(name, Kind.AUDIT)


def url_as(url: str, user: str, password: str = "") -> str:
    """The same database for another user."""
    parts = urlsplit(url)
    own = quote(user, safe="") + (f":{quote(password, safe='')}" if password else "")
    return urlunsplit(parts._replace(netloc=f"{own}@{parts.netloc.rpartition('@')[2]}"))
