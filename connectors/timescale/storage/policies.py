"""The policies of TimescaleDB: those that windows.py wants, in place of whatever there was."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Literal, NamedTuple

from connectors.timescale.connection import Connection
from connectors.timescale.storage.windows import LEVELS, TABLES, Keep, drop_after, refresh_from

# Foreign is a retention by the times in the rows: nothing of ours, and never wanted.
Kind = Literal["compress", "drop", "refresh", "foreign"]


class Policy(NamedTuple):
    """What happens by itself. `age` is that of chunks to compress or drop, or of the oldest bucket
    that is made again (None: any); `settled`, `each` and `batch` are those of a Level."""

    on: str
    kind: Kind
    age: timedelta | None
    settled: timedelta | None = None
    each: timedelta | None = None
    batch: int | None = None


_FOUND = """
    SELECT coalesce(config ->> 'table', user_view_name, table_name), proc_name,
        (config ->> 'compress_after')::interval, (config ->> 'age')::interval,
        (config ->> 'start_offset')::interval, (config ->> 'end_offset')::interval,
        schedule_interval, (config ->> 'buckets_per_batch')::int
    FROM timescaledb_information.jobs
    LEFT JOIN _timescaledb_catalog.hypertable AS source ON source.id
        = coalesce(config ->> 'hypertable_id', config ->> 'mat_hypertable_id')::int
    LEFT JOIN _timescaledb_catalog.continuous_agg ON mat_hypertable_id = source.id
    WHERE proc_name = ANY(%s)
"""
_KINDS: Mapping[str, Kind] = {
    "policy_compression": "compress",
    "drop_stored_before": "drop",
    "policy_retention": "foreign",
    "policy_refresh_continuous_aggregate": "refresh",
}
_ADD = {
    "compress": "SELECT add_compression_policy(%(on)s, %(age)s::interval)",
    "drop": """
        SELECT add_job('drop_stored_before', INTERVAL '1 day', config => jsonb_build_object(
            'table', %(on)s::text, 'age', %(age)s::interval))
    """,
    "refresh": """
        SELECT add_continuous_aggregate_policy(%(on)s, start_offset => %(age)s::interval,
            end_offset => %(settled)s::interval, schedule_interval => %(each)s::interval,
            buckets_per_batch => %(batch)s)
    """,
}
_REMOVE = {
    "compress": "SELECT remove_compression_policy(%(on)s, if_exists => true)",
    "drop": """
        SELECT delete_job(job_id) FROM timescaledb_information.jobs
        WHERE proc_name = 'drop_stored_before' AND config ->> 'table' = %(on)s
    """,
    "foreign": "SELECT remove_retention_policy(%(on)s, if_exists => true)",
    "refresh": "SELECT remove_continuous_aggregate_policy(%(on)s, if_exists => true)",
}


def wanted(keep: Keep) -> set[Policy]:
    """The policies that this code and these settings ask for."""
    compressed = {Policy(name, "compress", table.compress_after) for name, table in TABLES.items()}
    dropped = {
        Policy(name, "drop", age)
        for name, table in TABLES.items()
        if (age := drop_after(table, keep)) is not None
    }
    refreshed = {
        Policy(
            level.view,
            "refresh",
            refresh_from(level, keep),
            settled=level.settled,
            each=level.each,
            batch=level.batch,
        )
        for level in LEVELS
    }
    return compressed | dropped | refreshed


def found(connection: Connection) -> set[Policy]:
    """The policies that a database with TimescaleDB has."""
    rows = connection.execute(_FOUND, [list(_KINDS)])
    return {
        Policy(on, kind, start, end, each, batch)
        if kind == "refresh"
        else Policy(on, kind, compress or drop)
        for on, procedure, compress, drop, start, end, each, batch in rows
        if (kind := _KINDS[procedure])
    }


def apply(connection: Connection, keep: Keep) -> int:
    """Remove what is not wanted, add what is missing, and return how many changed.

    What is there as it is wanted stays, with its history.
    """
    there, asked = found(connection), wanted(keep)
    for policy in sorted(there - asked, key=_name):
        connection.execute(_REMOVE[policy.kind], policy._asdict())
    for policy in sorted(asked - there, key=_name):
        connection.execute(_ADD[policy.kind], policy._asdict())
    return len({_name(policy) for policy in there ^ asked})


def _name(policy: Policy) -> tuple[str, str]:
    return policy.on, policy.kind
