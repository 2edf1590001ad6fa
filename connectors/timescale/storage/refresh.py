"""Candles of what was stored late: exactly the windows that were touched are made again.

TimescaleDB writes down which times of a source changed since its aggregate was made. Its policies
work this off; where they do not look (ticks of long ago, while ticks are dropped by age), or where
nobody wants to wait for them, it is done here. Nothing is made again where ticks were dropped, for
that would erase the candles.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import psycopg
from psycopg import errors
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_random

from connectors.timescale.connection import Connection
from connectors.timescale.errors import our_errors
from connectors.timescale.layout import EPOCH
from connectors.timescale.schema import timescale_version
from connectors.timescale.storage.stale import Range, windows
from connectors.timescale.storage.windows import LEVELS, Level

_US = timedelta(microseconds=1)

_AGGREGATE = """
    SELECT mat_hypertable_id, raw_hypertable_id FROM _timescaledb_catalog.continuous_agg
    WHERE user_view_name = %s
"""
_TOUCHED = """
    SELECT lowest_modified_value, greatest_modified_value
    FROM _timescaledb_catalog.continuous_aggs_materialization_invalidation_log
    WHERE materialization_id = %(aggregate)s
    UNION ALL
    SELECT lowest_modified_value, greatest_modified_value
    FROM _timescaledb_catalog.continuous_aggs_hypertable_invalidation_log
    WHERE hypertable_id = %(source)s
"""
_CHUNKS = """
    SELECT (extract(epoch FROM range_start) * 1000000)::bigint,
        (extract(epoch FROM range_end) * 1000000)::bigint
    FROM timescaledb_information.chunks
    JOIN _timescaledb_catalog.hypertable AS source
        ON (source.schema_name, source.table_name) = (hypertable_schema, hypertable_name)
    WHERE source.id = %(source)s
"""
_MADE_UNTIL = "SELECT _timescaledb_functions.cagg_watermark(%s)"
_FIRST = -62_135_596_800 * 1_000_000  # the year 1: before it nothing is made
# In batches of `Level.batch`, where the procedure knows batches; older ones make all in one go.
# The oldest first: reading adds only what is newer than the newest that was made, so that candles
# of before it would be missing until the last batch.
_REFRESH = "CALL refresh_continuous_aggregate(%s, %s, %s)"
_REFRESH_IN_BATCHES = """
    CALL refresh_continuous_aggregate(%s, %s, %s,
        options => jsonb_build_object(
            'buckets_per_batch', %s::int, 'refresh_newest_first', false))
"""
_TAKES_OPTIONS = """
    SELECT EXISTS (SELECT FROM pg_proc
        WHERE proname = 'refresh_continuous_aggregate' AND 'options' = ANY(proargnames))
"""
# A refresh of the same window is under way: TimescaleDB's own job, or somebody else's command.
_BUSY = (errors.LockNotAvailable, errors.DeadlockDetected)
PATIENCE_S = 300.0
_NOW = "SELECT (extract(epoch FROM now()) * 1000000)::bigint"


class Window(NamedTuple):
    """From `start` until before `end`."""

    start: datetime
    end: datetime


def refresh_candles(url: str, *, patience_s: float = PATIENCE_S) -> Mapping[str, Sequence[Window]]:
    """Make the touched windows of every width again, and return them by view.

    The running bucket is left alone. Nothing on plain PostgreSQL, where views are never behind.
    Waits for a refresh that is under way; TransientError if one still is after `patience_s`.
    """
    if timescale_version(url) is None:
        return {}
    done: dict[str, Sequence[Window]] = {}
    # Not in a transaction, for the procedure commits by itself; not prepared, for it runs once.
    with (
        our_errors(),
        psycopg.connect(url, autocommit=True, prepare_threshold=None) as connection,
    ):
        [(batches,)] = connection.execute(_TAKES_OPTIONS).fetchall()
        again = Retrying(
            retry=retry_if_exception_type(_BUSY),
            wait=wait_random(0.1, 1),
            stop=stop_after_delay(patience_s),
            reraise=True,
        )
        for level in LEVELS:  # the smaller first: what they change touches the wider
            done[level.view] = found = stale(connection, level)
            for window in found:
                again(_make, connection, level, window, batches)
    return done


def _make(connection: Connection, level: Level, window: Window, batches: bool) -> None:
    if batches:
        connection.execute(_REFRESH_IN_BATCHES, (level.view, *window, level.batch))
    else:
        connection.execute(_REFRESH, (level.view, *window))


def made_until(connection: Connection, level: Level) -> datetime | None:
    """The end of what an aggregate has stored; None: nothing. What is later is added in reading."""
    [(aggregate, _)] = connection.execute(_AGGREGATE, (level.view,)).fetchall()
    [(end,)] = connection.execute(_MADE_UNTIL, (aggregate,)).fetchall()
    return None if end < _FIRST else EPOCH + end * _US


def stale(connection: Connection, level: Level) -> list[Window]:
    """The windows of an aggregate that do not show what its source has, oldest first."""
    [(aggregate, source)] = connection.execute(_AGGREGATE, (level.view,)).fetchall()
    [(now,)] = connection.execute(_NOW).fetchall()
    asked = {"aggregate": aggregate, "source": source}
    # The log counts the last microsecond in.
    touched = [(low, high + 1) for low, high in connection.execute(_TOUCHED, asked)]
    chunks: list[Range] = [(low, high) for low, high in connection.execute(_CHUNKS, asked)]
    found = windows(touched, chunks, width=level.width // _US, settled=now)
    return [Window(EPOCH + low * _US, EPOCH + high * _US) for low, high in found]
