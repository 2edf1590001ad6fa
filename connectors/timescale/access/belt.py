"""The seat belt: triggers that refuse what the grants refuse already, for whoever has more rights.

They stop an owner's or a superuser's slip, not their intent: see `hadron verify` for that.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from psycopg import sql

FUNCTION = "refuse_change"
BODY = """
BEGIN
    RAISE EXCEPTION 'audit rows are immutable: % of % is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege',
            HINT = 'A correction is a new fact on the log; old rows go by hadron storage retire.';
END
"""
MAKE_FUNCTION = sql.SQL(
    "CREATE OR REPLACE FUNCTION {}() RETURNS trigger LANGUAGE plpgsql AS {};"
    " REVOKE ALL ON FUNCTION {} () FROM PUBLIC"
).format(sql.Identifier(FUNCTION), sql.Literal(BODY), sql.Identifier(FUNCTION))


class Belt(msgspec.Struct, frozen=True):
    """One trigger; `type` as pg_trigger has it."""

    type: int
    events: str


# Of the table, also where no row fits; and of each row, which TimescaleDB hands on to its chunks.
BELTS: Mapping[str, Belt] = {
    "immutable": Belt(2 + 8 + 16 + 32, "BEFORE UPDATE OR DELETE OR TRUNCATE {} FOR EACH STATEMENT"),
    "immutable_rows": Belt(1 + 2 + 8 + 16, "BEFORE UPDATE OR DELETE {} FOR EACH ROW"),
}
ALWAYS, ORIGIN = "A", "O"


def enabled(*, columnstore: bool) -> str:
    """How a trigger fires: also for replicas, but TimescaleDB allows that without columnstore only.

    Replica mode is for superusers, who could drop the trigger as well.
    """
    return ORIGIN if columnstore else ALWAYS


def fasten(table: str, trigger: str, *, columnstore: bool) -> sql.Composed:
    """Make a trigger as it must be, whatever there is."""
    on = sql.SQL("ON {}").format(sql.Identifier(table))
    made = sql.SQL(
        "DROP TRIGGER IF EXISTS {name} {on};"
        " CREATE TRIGGER {name} {events} EXECUTE FUNCTION {function}()"
    ).format(
        name=sql.Identifier(trigger),
        on=on,
        events=sql.SQL(BELTS[trigger].events).format(on),
        function=sql.Identifier(FUNCTION),
    )
    if columnstore:
        return made
    return made + sql.SQL("; ALTER TABLE {} ENABLE ALWAYS TRIGGER {}").format(
        sql.Identifier(table), sql.Identifier(trigger)
    )
