"""Whether owners, grants and triggers are as declared, and the statements that make them so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from typing import Any

import msgspec
from psycopg import sql

from connectors.timescale.access import belt
from connectors.timescale.access.roles import (
    APPEND_ONLY,
    CALLERS,
    RIGHTS,
    RUNTIME,
    Access,
    Kind,
    Role,
    kind_of,
)
from connectors.timescale.connection import Connection

PUBLIC = "PUBLIC"
# What there was before there were roles; what came later was the owner's from its beginning.
_EARLIER = (
    *("ticks", "strategy_decisions", "order_intents", "order_executions", "positions"),
    *("dead_letters", "consumer_offsets", "alembic_version", "audit_chain", "raw_events"),
    *("price_marks", "control_changes", "instruments_listed", "alerts"),
    *(f"{kind}_{width}" for kind in ("candles", "prices") for width in ("1s", "1m", "1h", "1d")),
    *("intents_with_ends", "decisions_with_ends", "orders_with_fills", "order_slippage"),
    *("instruments_ticked", "tick_gaps"),
)
_EARLIER_ROUTINES = ("drop_stored_before", "drop_retired", "instrument_lag", "positions_at")
# What others may have been granted on a table that is never changed.
_HARMLESS = frozenset({"SELECT", "INSERT"})

_RELATIONS = """
    SELECT relname, relkind IN ('v', 'm'), pg_get_userbyid(relowner)
    FROM pg_class AS relation
    WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'S')
        AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = relation.oid AND deptype = 'e')
        AND (pg_get_userbyid(relowner) = %s OR relname = ANY(%s))
    ORDER BY relkind, relname
"""
_ROUTINES = """
    SELECT oid::regprocedure::text, pg_get_userbyid(proowner) FROM pg_proc
    WHERE pronamespace = current_schema()::regnamespace AND proname = ANY(%s)
        AND pg_get_userbyid(proowner) <> %s
"""
_GRANTS = """
    SELECT relname, coalesce(rolname, 'PUBLIC'), privilege_type, is_grantable
    FROM (
        SELECT relname, relowner, relnamespace, relacl AS acl FROM pg_class
        UNION ALL
        SELECT relname, relowner, relnamespace, attacl FROM pg_attribute
            JOIN pg_class ON pg_class.oid = attrelid
    ) AS relations, aclexplode(acl) LEFT JOIN pg_roles ON pg_roles.oid = grantee
    WHERE relnamespace = current_schema()::regnamespace AND grantee <> relowner
"""
_CALLERS = """
    SELECT routine.oid::regprocedure::text, proname, ARRAY(
        SELECT coalesce(rolname, 'PUBLIC')
        FROM aclexplode(coalesce(proacl, acldefault('f', proowner)))
            LEFT JOIN pg_roles ON pg_roles.oid = grantee
        WHERE grantee <> proowner ORDER BY 1
    )
    FROM pg_proc AS routine
    WHERE pronamespace = current_schema()::regnamespace AND proname = ANY(%s)
        AND pg_get_userbyid(proowner) = %s
"""
_TRIGGERS = """
    SELECT relname, tgname, tgenabled::text, tgtype::int
    FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid JOIN pg_proc ON pg_proc.oid = tgfoid
    WHERE relnamespace = current_schema()::regnamespace AND proname = %s
        AND pronamespace = relnamespace
"""
_FUNCTION = """
    SELECT prosrc, pg_get_userbyid(proowner) FROM pg_proc
    WHERE proname = %s AND pronamespace = current_schema()::regnamespace
"""
_EXTENDED = "SELECT to_regclass('timescaledb_information.hypertables')"
_COLUMNSTORES = """
    SELECT hypertable_name FROM timescaledb_information.hypertables
    WHERE compression_enabled AND hypertable_schema = current_schema()
"""
_AGGREGATES = """
    SELECT view_name FROM timescaledb_information.continuous_aggregates
    WHERE view_schema = current_schema()
"""


class Difference(msgspec.Struct, frozen=True):
    """What is not as declared, in a sentence, and the statement that mends it."""

    seen: str
    mend: sql.Composed


class Relation(msgspec.Struct, frozen=True):
    """A table, view or sequence of Hadron's."""

    name: str
    view: bool
    owner: str

    @property
    def kind(self) -> Kind:
        return kind_of(self.name, view=self.view)


def relations(connection: Connection, access: Access) -> list[Relation]:
    """All that are the owner's, and those of Hadron's that are still somebody else's."""
    asked = (access.name(Role.OWNER), [*_EARLIER])
    return [Relation(*row) for row in connection.execute(_RELATIONS, asked)]


def of_owners(connection: Connection, access: Access) -> Iterator[Difference]:
    """What is not the owner's; the statements are for whose it is, or for a superuser."""
    owner = access.name(Role.OWNER)
    aggregates = _names(connection, _AGGREGATES)
    for relation in relations(connection, access):
        if relation.owner != owner:
            noun = "VIEW" if relation.view else "TABLE"
            verb = "ALTER MATERIALIZED VIEW" if relation.name in aggregates else f"ALTER {noun}"
            yield Difference(
                f"{relation.name} belongs to {relation.owner}, wanted {owner}",
                _sql(verb, sql.Identifier(relation.name), "OWNER TO", sql.Identifier(owner)),
            )
    for routine, whose in connection.execute(_ROUTINES, ([*_EARLIER_ROUTINES], owner)).fetchall():
        yield Difference(
            f"{routine} belongs to {whose}, wanted {owner}",
            _sql(f"ALTER ROUTINE {routine} OWNER TO", sql.Identifier(owner)),
        )


def of_relations(connection: Connection, access: Access) -> Iterator[Difference]:
    """Grants and triggers that are not as declared; the statements are for the owner."""
    owner = access.name(Role.OWNER)
    if [*connection.execute(_FUNCTION, (belt.FUNCTION,))] != [(belt.BODY, owner)]:
        yield Difference(f"function {belt.FUNCTION} is not as made", belt.MAKE_FUNCTION)
    grants = _grants(connection)
    columnstores = _names(connection, _COLUMNSTORES)
    triggers = {
        (row[0], row[1]): row[2:] for row in connection.execute(_TRIGGERS, (belt.FUNCTION,))
    }
    for relation in relations(connection, access):
        yield from _of_grants(relation, grants.get(relation.name, {}), access)
        if relation.kind in APPEND_ONLY:
            columnstore = relation.name in columnstores
            wanted = belt.enabled(columnstore=columnstore)
            for name, one in belt.BELTS.items():
                if triggers.get((relation.name, name)) != (wanted, one.type):
                    yield Difference(
                        f"trigger {name} of {relation.name} is missing or disabled",
                        belt.fasten(relation.name, name, columnstore=columnstore),
                    )


def of_routines(connection: Connection, access: Access) -> Iterator[Difference]:
    """Who may call what does more than its callers may; the statements are for the owner."""
    asked = ([*CALLERS], access.name(Role.OWNER))
    for routine, name, callers in connection.execute(_CALLERS, asked).fetchall():
        wanted = access.name(CALLERS[name])
        if callers != [wanted]:
            others = [PUBLIC if one == PUBLIC else f'"{one}"' for one in {*callers, PUBLIC}]
            yield Difference(
                f"{', '.join(callers) or 'nobody'} may call {routine}, wanted {wanted}",
                _sql(f"REVOKE ALL ON FUNCTION {routine} FROM {', '.join(others)};")
                + _sql(f" GRANT EXECUTE ON FUNCTION {routine} TO", sql.Identifier(wanted)),
            )


def _of_grants(
    relation: Relation, given: Mapping[str, Set[str]], access: Access
) -> Iterator[Difference]:
    ours = {access.name(role): RIGHTS[relation.kind][role] for role in RUNTIME}
    wanted: dict[str, Set[str]] = {PUBLIC: frozenset(), **ours}
    if relation.kind in APPEND_ONLY:
        wanted |= {other: given[other] & _HARMLESS for other in given if other not in wanted}
    for role, rights in wanted.items():
        has = given.get(role, frozenset())
        if has != rights:
            yield Difference(
                f"{role} may {_listed(has)} {relation.name}, wanted {_listed(rights)}",
                _granted(relation.name, role, rights),
            )


def _granted(table: str, role: str, rights: Set[str]) -> sql.Composed:
    to = sql.SQL(PUBLIC) if role == PUBLIC else sql.Identifier(role)
    on = sql.Identifier(table)
    statements = _sql("REVOKE ALL ON", on, "FROM", to)
    if rights:
        statements += sql.SQL("; ") + _sql(f"GRANT {', '.join(sorted(rights))} ON", on, "TO", to)
    return statements


def _grants(connection: Connection) -> Mapping[str, Mapping[str, Set[str]]]:
    """By relation and role; a right that may be handed on, or of a column only, is not the same."""
    found: dict[str, dict[str, set[str]]] = {}
    for table, role, privilege, handed_on in connection.execute(_GRANTS):
        right = f"{privilege} WITH GRANT OPTION" if handed_on else privilege
        found.setdefault(table, {}).setdefault(role, set()).add(right)
    return found


def _names(connection: Connection, query: Any) -> set[str]:
    """What TimescaleDB's view names; nothing on plain PostgreSQL."""
    if connection.execute(_EXTENDED).fetchone() == (None,):
        return set()
    return {name for (name,) in connection.execute(query)}


def _listed(rights: Set[str]) -> str:
    return ", ".join(sorted(rights)) or "nothing of"


def _sql(*parts: str | sql.Composable) -> sql.Composed:
    return sql.SQL(" ").join(sql.SQL(one) if isinstance(one, str) else one for one in parts)
