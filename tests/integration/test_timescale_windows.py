"""What TimescaleDB drops, compresses and makes again, and that none of it spoils the others."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from connectors.timescale.storage import policies
from connectors.timescale.storage.refresh import Window, refresh_candles, stale
from connectors.timescale.storage.windows import (
    DAY,
    FOR_EVER,
    HOUR,
    LEVELS,
    MINUTE,
    SECOND,
    TABLES,
    Keep,
)
from hadron.market.facts import TradePrinted
from tests.integration.inserting import insert, rows
from tests.support import T0_NS, a_trade

NOON = datetime.fromtimestamp(T0_NS // 10**9 // 86400 * 86400 + 12 * 3600, UTC)


def connected(url: str) -> psycopg.Connection[tuple[Any, ...]]:
    return psycopg.connect(url, autocommit=True, prepare_threshold=None)


def at(moment: datetime, price: str = "100") -> TradePrinted:
    return a_trade(price, at_ns=round(moment.timestamp()) * 10**9)


def closes(url: str, view: str = "candles_1s") -> list[tuple[Any, ...]]:
    return rows(url, f"SELECT bucket, close FROM {view} ORDER BY bucket")


def job(url: str, on: str, procedure: str) -> None:
    """Run a policy now, as its background worker would."""
    with connected(url) as connection:
        [(number,)] = connection.execute(
            """SELECT job_id FROM timescaledb_information.jobs
            WHERE %s::text IN (hypertable_name::text, config ->> 'table') AND proc_name = %s""",
            (on, procedure),
        ).fetchall()
        connection.execute(f"CALL run_job({number})".encode())


def made_before(url: str, moment: datetime, age: timedelta) -> None:
    """Let the chunks that end by `moment` have been made so long ago."""
    with connected(url) as connection:
        connection.execute(
            """UPDATE _timescaledb_catalog.chunk SET creation_time = now() - %s::interval
            WHERE (schema_name, table_name) IN (
                SELECT chunk_schema, chunk_name FROM timescaledb_information.chunks
                WHERE hypertable_name = 'ticks' AND range_end <= %s)""",
            (age, moment),
        )


def versions(url: str) -> dict[tuple[str, datetime], str]:
    """Which transaction made each stored candle."""
    found: dict[tuple[str, datetime], str] = {}
    for view, table in rows(
        url,
        """SELECT view_name,
            format('%I.%I', materialization_hypertable_schema, materialization_hypertable_name)
        FROM timescaledb_information.continuous_aggregates""",
    ):
        for bucket, transaction in rows(url, f"SELECT bucket, xmin::text FROM {table}"):
            found[view, bucket] = transaction
    return found


def test_exactly_the_touched_window_is_made_again(timescale: str) -> None:
    days: Sequence[datetime] = [NOON + n * DAY for n in range(4)]
    insert(timescale, [at(day + n * HOUR) for day in days for n in range(3)])
    refresh_candles(timescale)
    before = versions(timescale)

    late = NOON + DAY + 30 * MINUTE + 7 * SECOND
    insert(timescale, [at(late, "555")], 100)
    with connected(timescale) as connection:
        behind = stale(connection, LEVELS[0])
    done = refresh_candles(timescale)

    after = versions(timescale)
    touched = [late, late - 7 * SECOND, late - 30 * MINUTE - 7 * SECOND, days[1] - 12 * HOUR]
    assert behind == [Window(late, late + SECOND)]
    assert done == {
        level.view: [Window(start, start + level.width)]
        for level, start in zip(LEVELS, touched, strict=True)
    }
    assert {place for place, made in after.items() if before.get(place) != made} == {
        (level.view, start) for level, start in zip(LEVELS, touched, strict=True)
    }
    assert (late, 555) in closes(timescale)
    assert refresh_candles(timescale) == {level.view: [] for level in LEVELS}


def test_the_running_bucket_is_left_to_be_added_when_it_is_read(timescale: str) -> None:
    [(now,)] = rows(timescale, "SELECT date_trunc('second', now())")
    insert(timescale, [at(now - DAY), at(now)])

    done = refresh_candles(timescale)
    insert(timescale, [at(now, "7")], 2)

    for level in LEVELS:
        assert all(window.end <= now + SECOND for window in done[level.view])
        assert closes(timescale, level.view)[-1][1] in (7, 100)
    assert closes(timescale, "candles_1d")[-1][1] == closes(timescale, "candles_1h")[-1][1]


def test_candles_outlive_their_ticks(timescale: str) -> None:
    days: Sequence[datetime] = [NOON + n * DAY for n in range(3)]
    insert(timescale, [at(day) for day in days])
    refresh_candles(timescale)
    rows(timescale, f"SELECT drop_chunks('ticks', TIMESTAMPTZ '{days[1]}')")

    insert(timescale, [at(days[1] + SECOND, "7")], 10)
    refresh_candles(timescale)

    expected = [*((day, 100) for day in days), (days[1] + SECOND, 7)]
    assert closes(timescale) == sorted(expected)
    assert len(closes(timescale, "candles_1d")) == 3


def test_a_late_tick_is_in_the_candles_of_a_compressed_chunk(timescale: str) -> None:
    insert(timescale, [at(NOON), at(NOON + DAY)])
    refresh_candles(timescale)
    rows(timescale, "SELECT compress_chunk(chunk) FROM show_chunks('ticks') AS chunk")

    insert(timescale, [at(NOON + SECOND, "7")], 10)
    refresh_candles(timescale)

    assert closes(timescale) == [(NOON, 100), (NOON + SECOND, 7), (NOON + DAY, 100)]
    assert closes(timescale, "candles_1d")[0][1] == 7


def test_policies_alone_make_late_ticks_of_any_age_again(timescale: str) -> None:
    insert(timescale, [at(NOON + n * DAY) for n in range(3)])
    refresh_candles(timescale)
    years_ago = NOON - 3000 * DAY

    insert(timescale, [at(years_ago), at(NOON + SECOND, "7")], 10)
    for level in LEVELS:
        job(timescale, level.view, "policy_refresh_continuous_aggregate")

    assert closes(timescale)[:3] == [(years_ago, 100), (NOON, 100), (NOON + SECOND, 7)]
    assert [close for _, close in closes(timescale, "candles_1d")] == [100, 7, 100, 100]
    with connected(timescale) as connection:
        assert [stale(connection, level) for level in LEVELS] == [[]] * 4


def test_policies_become_what_is_wanted_and_stay(timescale: str) -> None:
    keep = Keep(raw=9 * DAY, ticks=30 * DAY, audit=1827 * DAY)
    with connected(timescale) as connection:
        assert policies.found(connection) == policies.wanted(FOR_EVER)
        assert policies.apply(connection, FOR_EVER) == 0

        changed = policies.apply(connection, keep)
        again = policies.apply(connection, keep)

        assert changed == len(TABLES) + 1  # a drop each, and the oldest second to make again
        assert again == 0
        assert policies.found(connection) == policies.wanted(keep)


def test_a_policy_that_somebody_changed_is_put_right(timescale: str) -> None:
    with connected(timescale) as connection:
        connection.execute("SELECT add_retention_policy('ticks', INTERVAL '1 day')")
        connection.execute("SELECT remove_compression_policy('positions')")

        changed = policies.apply(connection, FOR_EVER)

        assert changed == 2
        assert policies.found(connection) == policies.wanted(FOR_EVER)


def test_a_tape_of_years_ago_is_kept_from_when_it_was_stored(timescale: str) -> None:
    insert(timescale, [at(NOON)])
    with connected(timescale) as connection:
        policies.apply(connection, Keep(ticks=30 * DAY))

    made_before(timescale, NOON + DAY, 30 * DAY)
    job(timescale, "ticks", "drop_stored_before")
    kept = rows(timescale, "SELECT count(*) FROM ticks")
    made_before(timescale, NOON + DAY, 31 * DAY + MINUTE)
    job(timescale, "ticks", "drop_stored_before")

    assert kept == [(1,)]
    assert rows(timescale, "SELECT count(*) FROM ticks") == [(0,)]


@pytest.mark.parametrize("spoiled", [False, True])
def test_what_retention_drops_the_refresh_does_not_erase(timescale: str, spoiled: bool) -> None:
    keep = Keep(ticks=30 * DAY)
    [(today,)] = rows(timescale, "SELECT date_trunc('day', now(), 'UTC')")
    days = [today - n * DAY for n in (40, 32, 31, 30, 29, 1)]
    insert(timescale, [at(day) for day in days])
    refresh_candles(timescale)
    with connected(timescale) as connection:
        policies.apply(connection, keep)
        if spoiled:
            connection.execute("SELECT remove_continuous_aggregate_policy('candles_1s')")
            connection.execute(
                """SELECT add_continuous_aggregate_policy('candles_1s',
                    INTERVAL '50 days', INTERVAL '1 minute', INTERVAL '1 minute')"""
            )
    for day in reversed(days):  # stored when it happened, the oldest set last
        made_before(timescale, day + DAY, today - day)

    job(timescale, "ticks", "drop_stored_before")
    job(timescale, "candles_1s", "policy_refresh_continuous_aggregate")

    [(oldest,)] = rows(timescale, "SELECT min(at) FROM ticks")
    assert today - 31 * DAY <= oldest <= today - 30 * DAY
    assert ([bucket for bucket, _ in closes(timescale)] == sorted(days)) is not spoiled
