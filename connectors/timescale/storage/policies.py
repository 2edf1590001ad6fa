"""The policies of TimescaleDB: those that windows.py wants, in place of whatever there was."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Literal, NamedTuple

from connectors.timescale.connection import Connection
from connectors.timescale.storage.windows import LEVELS, TABLES, Keep, refresh_from

# Foreign is a retention of the database's own: rows would go without a certificate.
Kind = Literal["compress", "refresh", "foreign"]


class Policy(NamedTuple):
    """What happens by itself. `age` is that of chunks to compress, or of the oldest bucket that is
    made again (None: any); `settled`, `each` and `batch` are those of a Level.

    `newest_first` is TimescaleDB's default, with which candles are missing from when the newest
    batch was made until the oldest is.
    """

    on: str
    kind: Kind
    age: timedelta | None
    settled: timedelta | None = None
    each: timedelta | None = None
    batch: int | None = None
    newest_first: bool | None = None


_FOUND = """
    SELECT coalesce(user_view_name, table_name), proc_name,
        (config ->> 'compress_after')::interval,
        (config ->> 'start_offset')::interval, (config ->> 'end_offset')::interval,
        schedule_interval, (config ->> 'buckets_per_batch')::int,
        coalesce((config ->> 'refresh_newest_first')::boolean, true)
    FROM timescaledb_information.jobs
    LEFT JOIN _timescaledb_catalog.hypertable AS source ON source.id
        = coalesce(config ->> 'hypertable_id', config ->> 'mat_hypertable_id')::int
    LEFT JOIN _timescaledb_catalog.continuous_agg ON mat_hypertable_id = source.id
    WHERE proc_name = ANY(%s)
"""
_KINDS: Mapping[str, Kind] = {
    "policy_compression": "compress",
    "policy_retention": "foreign",
    "policy_refresh_continuous_aggregate": "refresh",
}
# Candles that are made for the first time while those that they are made of are, too, may miss some
# until they are made again: TimescaleDB looks at rows and at how far they are made at two moments
# (seen in 2.29). So each width begins later than the one before.
_ADD = {
    "compress": "SELECT add_compression_policy(%(on)s, %(age)s::interval)",
    "refresh": """
        SELECT add_continuous_aggregate_policy(%(on)s, start_offset => %(age)s::interval,
            end_offset => %(settled)s::interval, schedule_interval => %(each)s::interval,
            buckets_per_batch => %(batch)s, refresh_newest_first => %(newest_first)s,
            initial_start => now() + %(settled)s::interval)
    """,
}
_REMOVE = {
    "compress": "SELECT remove_compression_policy(%(on)s, if_exists => true)",
    "foreign": "SELECT remove_retention_policy(%(on)s, if_exists => true)",
    "refresh": "SELECT remove_continuous_aggregate_policy(%(on)s, if_exists => true)",
}


def wanted(keep: Keep) -> set[Policy]:
    """The policies that this code and these settings ask for."""
    compressed = {Policy(name, "compress", table.compress_after) for name, table in TABLES.items()}
    refreshed = {
        Policy(
            level.view,
            "refresh",
            refresh_from(level, keep),
            settled=level.settled,
            each=level.each,
            batch=level.batch,
            newest_first=False,
        )
        for level in LEVELS
    }
    return compressed | refreshed


def found(connection: Connection) -> set[Policy]:
    """The policies that a database with TimescaleDB has."""
    rows = connection.execute(_FOUND, [list(_KINDS)])
    return {
        Policy(on, kind, start, end, each, batch, newest)
        if kind == "refresh"
        else Policy(on, kind, compress)
        for on, procedure, compress, start, end, each, batch, newest in rows
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
