"""What a login may do beyond its work, and whether what guards the rows is as declared."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address

import msgspec
import psycopg

from connectors.timescale.access.roles import Access, Role
from connectors.timescale.access.securing import differences
from connectors.timescale.errors import our_errors

_STANDING = """
    SELECT current_user, rolsuper,
        EXISTS (SELECT FROM pg_roles AS owner
            WHERE owner.rolname = %s AND pg_has_role(current_user, owner.oid, 'MEMBER')),
        EXISTS (SELECT FROM pg_class
            WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'
                AND pg_has_role(current_user, relowner, 'MEMBER')),
        to_regclass('alembic_version') IS NOT NULL
    FROM pg_roles WHERE rolname = current_user
"""


class Standing(msgspec.Struct, frozen=True):
    """Of the role that a URL logs in as. `local`: the server is this machine's own."""

    role: str
    superuser: bool
    owner: bool
    local: bool
    migrated: bool
    differences: Sequence[str]


def standing(url: str, access: Access) -> Standing:
    """Raise TransientError if the database does not answer within 5 seconds."""
    with (
        our_errors(),
        psycopg.connect(
            url, autocommit=True, connect_timeout=5, prepare_threshold=None
        ) as connection,
    ):
        [(role, superuser, member, owns, migrated)] = connection.execute(
            _STANDING, (access.name(Role.OWNER),)
        ).fetchall()
        return Standing(
            role=role,
            superuser=superuser,
            owner=member or owns,
            local=_is_local(connection),
            migrated=migrated,
            differences=differences(connection, access) if migrated else (),
        )


def _is_local(connection: psycopg.Connection) -> bool:
    address = connection.info.hostaddr
    return not address or ip_address(address).is_loopback  # none: a socket of this machine
