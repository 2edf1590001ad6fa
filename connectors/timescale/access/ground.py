"""What roles need of the database itself: to connect, to use the schema, and no more than that."""

from __future__ import annotations

from collections.abc import Iterator

from psycopg import sql

from connectors.timescale.access.rights import Difference
from connectors.timescale.access.roles import LOGINS, RUNTIME, Access, Role
from connectors.timescale.connection import Connection

_NAMES = "SELECT current_database(), current_schema()"
# Functions with which anybody may drop, freeze, fill or attach a chunk of a table of somebody
# else's: TimescaleDB gives them to PUBLIC and does not ask whose the table is (seen in 2.23). And
# one with which anybody may end the server: given NULL, it reads where nothing is (2.29.2).
_OPEN = """
    SELECT function.oid::regprocedure::text, prokind = 'p'
    FROM pg_proc AS function JOIN pg_depend ON objid = function.oid AND deptype = 'e'
        JOIN pg_extension ON pg_extension.oid = refobjid AND extname = 'timescaledb'
    WHERE (proname = ANY(ARRAY['drop_chunk', 'freeze_chunk', 'unfreeze_chunk', 'create_chunk',
            'create_chunk_table', 'attach_osm_table_chunk', 'drop_osm_chunk',
            'drop_osm_table_chunk', 'hypertable_osm_range_update', 'policy_compression_execute'])
        AND pronamespace <> current_schema()::regnamespace
        OR proname = 'merge_chunks_concurrently')
        AND has_function_privilege(%s, function.oid, 'EXECUTE')
"""


def of_database(connection: Connection, access: Access) -> Iterator[Difference]:
    """Rights on database and schema that are missing or too many; statements for its owner."""
    [(database, schema)] = connection.execute(_NAMES)
    on_database = sql.SQL("ON DATABASE {}").format(sql.Identifier(database))
    on_schema = sql.SQL("ON SCHEMA {}").format(sql.Identifier(schema))
    wanted = [
        *((role, "CONNECT", "database", database, on_database) for role in LOGINS),
        # The archive stages what is repeated in a temporary table.
        (Role.SINK, "TEMPORARY", "database", database, on_database),
        *((role, "USAGE", "schema", schema, on_schema) for role in (Role.OWNER, *RUNTIME)),
        (Role.OWNER, "CREATE", "schema", schema, on_schema),
    ]
    for role, right, noun, name, on in wanted:
        user = access.name(role)
        if not _may(connection, user, noun, name, right):
            grant = sql.SQL("GRANT {} {} TO {}").format(sql.SQL(right), on, sql.Identifier(user))
            yield Difference(f"{user} has no right {right} on {noun} {name}", grant)
    makers = [role for role in RUNTIME if _may(connection, access.name(role), "schema", schema)]
    if makers:
        names = sql.SQL(", ").join([sql.SQL("PUBLIC"), *(_identifier(access, r) for r in makers)])
        yield Difference(
            f"{', '.join(map(access.name, makers))} may create in schema {schema}",
            sql.SQL("REVOKE CREATE {} FROM {}").format(on_schema, names),
        )


def of_extension(connection: Connection, access: Access) -> Iterator[Difference]:
    """Functions of TimescaleDB that harm others; statements for a superuser."""
    for function, procedure in connection.execute(_OPEN, (access.name(Role.READER),)).fetchall():
        on = f"{'PROCEDURE' if procedure else 'FUNCTION'} {function}"
        yield Difference(
            f"PUBLIC may execute {function}",
            sql.SQL("REVOKE EXECUTE ON {on} FROM PUBLIC; GRANT EXECUTE ON {on} TO {owner}").format(
                on=sql.SQL(on), owner=_identifier(access, Role.OWNER)
            ),
        )


def _identifier(access: Access, role: Role) -> sql.Identifier:
    return sql.Identifier(access.name(role))


def _may(connection: Connection, user: str, noun: str, name: str, right: str = "CREATE") -> bool:
    asked = sql.SQL("SELECT {}(%s, %s, %s)").format(sql.SQL(f"has_{noun}_privilege"))
    row = connection.execute(asked, (user, name, right)).fetchone()
    return bool(row and row[0])
