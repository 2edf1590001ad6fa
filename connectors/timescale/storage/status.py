"""What the database stores: how much, how tightly, how long, and whether its jobs do their work."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
import psycopg
from psycopg.rows import dict_row

from connectors.timescale.errors import our_errors
from connectors.timescale.schema import installed
from connectors.timescale.storage import catalogue as ask
from connectors.timescale.storage import policies, refresh
from connectors.timescale.storage.windows import LEVELS, TABLES, Keep, Level, drop_after

WITHOUT = (
    "without TimescaleDB: no chunks, no compression; candles are views, which are made from all"
    " ticks each time they are read"
)


class Stored(msgspec.Struct, frozen=True):
    """A table or an aggregate. `rows` are an estimate of the planner's statistics, None: none yet.

    `ratio` is size before by size after, of the compressed chunks. What is None does not happen.
    """

    name: str
    rows: int | None
    size: int  # bytes, indexes included
    chunks: int | None = None
    compressed: int | None = None
    ratio: float | None = None
    compress_after: timedelta | None = None
    drop_after: timedelta | None = None


class Aggregate(msgspec.Struct, frozen=True):
    """Candles of one width. `made_until` is where reading goes over to what they are made from.

    `behind` is the oldest window before that which was touched and not made again; `refresh_from`
    is how old a window may be to be made again by itself, None: of any age.
    """

    name: str
    made_until: datetime | None
    behind: refresh.Window | None
    refresh_from: timedelta | None
    settled: timedelta | None
    each: timedelta | None


class Job(msgspec.Struct, frozen=True):
    """A job of TimescaleDB, and how its last run ended."""

    number: int
    what: str
    on: str | None
    each: timedelta
    last_run: datetime | None
    last_status: str | None
    failures: int
    last_error: str | None
    next_run: datetime | None


class Storage(msgspec.Struct, frozen=True):
    """All of it; `problems` are sentences that say what to do."""

    server: str
    timescaledb: str | None
    tables: Sequence[Stored]
    candles: Sequence[Aggregate]
    jobs: Sequence[Job]
    notes: Sequence[str]
    problems: Sequence[str]


def inspect(url: str, keep: Keep) -> Storage:
    """Look at the database as it is. `keep` is what the settings ask for."""
    with (
        our_errors(),
        psycopg.connect(url, autocommit=True, connect_timeout=5, prepare_threshold=None) as seen,
    ):
        version = installed(seen)
        [(server,)] = seen.execute("SHOW server_version").fetchall()
        if version is None:
            plain = [
                Stored(**row, drop_after=_age(row["name"], keep)) for row in _rows(seen, ask.TABLES)
            ]
            return Storage(server, None, plain, [], [], [WITHOUT], [])
        there = policies.found(seen)
        tables = _stored(seen, there, keep)
        candles = [_aggregate(seen, level, there) for level in LEVELS]
        jobs = [Job(**row) for row in _rows(seen, ask.JOBS)]
        problems = [*_policies(there, keep), *map(_failure, filter(_failed, jobs))]
        [(now,)] = seen.execute("SELECT now()").fetchall()
        problems += [line for one in candles for line in _out_of_reach(one, now)]
    return Storage(server, version, tables, candles, jobs, [], problems)


def _rows(connection: psycopg.Connection[Any], query: str) -> list[dict[str, Any]]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query.encode()).fetchall()


def _stored(seen: psycopg.Connection[Any], there: set[policies.Policy], keep: Keep) -> list[Stored]:
    ages = {(policy.on, policy.kind): policy.age for policy in there}
    parted = [
        Stored(
            **row,
            compress_after=ages.get((row["name"], "compress")),
            drop_after=_age(row["name"], keep),
        )
        for row in _rows(seen, ask.HYPERTABLES)
    ]
    names = {one.name for one in parted}
    return [
        *parted,
        *(Stored(**row) for row in _rows(seen, ask.TABLES) if row["name"] not in names),
    ]


def _aggregate(
    connection: psycopg.Connection[Any], level: Level, there: set[policies.Policy]
) -> Aggregate:
    made_until = refresh.made_until(connection, level)
    stale = refresh.stale(connection, level)
    behind = [one for one in stale if made_until is not None and one.start < made_until]
    own = [one for one in there if one.on == level.view and one.kind == "refresh"]
    age, settled, each = (own[0].age, own[0].settled, own[0].each) if own else (None, None, None)
    return Aggregate(level.view, made_until, behind[0] if behind else None, age, settled, each)


def _failed(job: Job) -> bool:
    return job.last_status == "Failed"


def _failure(job: Job) -> str:
    said = job.last_error or "the server's log says why"
    return f"job {job.number} ({job.what} of {job.on or 'the server'}) failed: {said}"


def _policies(there: set[policies.Policy], keep: Keep) -> list[str]:
    differing = sorted({f"{one.kind} of {one.on}" for one in there ^ policies.wanted(keep)})
    if not differing:
        return []
    return [f"policies are not as set: {', '.join(differing)}; run `hadron migrate`"]


def _out_of_reach(candles: Aggregate, now: datetime) -> list[str]:
    if candles.behind is None or candles.refresh_from is None:
        return []
    if candles.behind.start >= now - candles.refresh_from:
        return []
    return [
        f"{candles.name} does not show what was stored of {candles.behind.start} and is not made"
        f" again by itself before {now - candles.refresh_from}; run `hadron storage refresh`"
    ]


def _age(table: str, keep: Keep) -> timedelta | None:
    """The age at which `hadron storage retire` lets rows go."""
    return drop_after(TABLES[table], keep) if table in TABLES else None
