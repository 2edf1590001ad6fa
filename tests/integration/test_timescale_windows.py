"""What TimescaleDB drops, compresses and makes again, and that none of it spoils the others."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg import errors

from connectors import anchors
from connectors.timescale import chain, schema
from connectors.timescale.retiring import dropping
from connectors.timescale.retiring.certifying import certified
from connectors.timescale.retiring.due import units
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
    drop_after,
)
from connectors.timescale.verifying.checking import Checked
from hadron.audit.facts import RowsRetired
from hadron.audit.leaves import Leaves
from hadron.market.facts import TradePrinted
from tests.integration import native
from tests.integration.access import unbelt
from tests.integration.inserting import insert, rows
from tests.support import T0_NS, a_trade, codec
from tests.unit.connectors.timescale.vault import a_signer

MICROSECOND = timedelta(microseconds=1)
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
            WHERE hypertable_name = %s AND proc_name = %s""",
            (on, procedure),
        ).fetchall()
        connection.execute(f"CALL run_job({number})".encode())


def made_before(url: str, moment: datetime, age: timedelta) -> None:
    """Let the chunks that end by `moment` have been made so long ago."""
    with connected(url) as connection:
        connection.execute(
            # The row of a chunk names it by its oid since 2.29, by schema and table before.
            """UPDATE _timescaledb_catalog.chunk SET creation_time = now() - %s::interval
            WHERE coalesce(to_jsonb(chunk) ->> 'relid',
                to_jsonb(chunk) ->> 'schema_name' || '.' || (to_jsonb(chunk) ->> 'table_name')) IN (
                SELECT chunk_schema || '.' || chunk_name FROM timescaledb_information.chunks
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


def test_candles_are_whole_while_a_policy_makes_them_first(
    new_timescaledb: native.New, kind_of_timescaledb: str
) -> None:
    days = [NOON + n * DAY for n in range(6)]
    change = """SELECT alter_job(job_id, config => config || '{"max_batches_per_execution": 1}')
        FROM timescaledb_information.jobs WHERE proc_name LIKE '%refresh%'"""
    seen = []

    with new_timescaledb() as url:
        schema.migrate(url)
        if kind_of_timescaledb == "native":
            native.stop_jobs(url)
        insert(url, [at(day) for day in days])
        rows(url, change)
        for _ in days:
            job(url, "candles_1s", "policy_refresh_continuous_aggregate")
            seen.append([bucket for bucket, _ in closes(url)])

    assert seen == [days] * len(days)


def test_policies_become_what_is_wanted_and_stay(timescale: str) -> None:
    keep = Keep(raw=9 * DAY, ticks=30 * DAY, audit=1827 * DAY)
    with connected(timescale) as connection:
        assert policies.found(connection) == policies.wanted(FOR_EVER)
        assert policies.apply(connection, FOR_EVER) == 0

        changed = policies.apply(connection, keep)
        again = policies.apply(connection, keep)

        assert changed == 1  # the oldest second to make again
        assert again == 0
        assert policies.found(connection) == policies.wanted(keep)


def test_a_policy_that_somebody_changed_is_put_right(timescale: str) -> None:
    with connected(timescale) as connection:
        connection.execute("SELECT add_retention_policy('ticks', INTERVAL '1 day')")
        connection.execute("SELECT remove_compression_policy('positions')")

        changed = policies.apply(connection, FOR_EVER)

        assert changed == 2
        assert policies.found(connection) == policies.wanted(FOR_EVER)


def stored_before(url: str, age: timedelta) -> None:
    """Let all ticks that no entry of a chain has be chained so long ago."""
    leaves = Leaves(codec().fingerprint)
    with psycopg.connect(url, prepare_threshold=None) as connection:
        [(after,)] = connection.execute(
            "SELECT coalesce(max(last_offset), -1) FROM audit_chain WHERE topic = 'ticks.fast'"
        )
        found = connection.execute(
            "SELECT log_offset, at_ns FROM ticks WHERE log_offset > %s ORDER BY 1", (after,)
        ).fetchall()
        [(now_ns,)] = connection.execute(
            "SELECT (extract(epoch FROM now() - %s::interval) * 1000000000)::bigint", (age,)
        )
        for offset, at_ns in found:
            value = codec().encode(a_trade(at_ns=at_ns))
            leaf = leaves.record("ticks.fast", 0, offset, value)
            chain.extend(connection, {("ticks.fast", 0): {offset: leaf}}, at_ns=now_ns)


def let_go(url: str, keep: Keep) -> list[tuple[int, list[RowsRetired]]]:
    """What `hadron storage retire` does after its check, which needs several sessions: how many
    rows went, with which certificates."""
    age = drop_after(TABLES["ticks"], keep)
    signer, done = a_signer("ours"), []
    assert age is not None
    with connected(url) as connection:
        for unit in list(units(connection, "ticks", age)):
            with connection.transaction():  # for its cursors
                made, broken = certified(connection, unit, lambda _: Checked(0, None))
            assert broken == []
            anchor = anchors.made([], signer, retired=made)
            dropping.keep(connection, [(one, anchor) for one in made])
            done.append((dropping.drop(connection, unit, made, patience_s=5), made))
    return done


@pytest.mark.parametrize(
    ("stored", "made", "goes"),
    [
        (31 * DAY + MINUTE, 31 * DAY + MINUTE, True),
        (31 * DAY - MINUTE, 32 * DAY, False),  # a late row came into an old chunk
        (31 * DAY + MINUTE, timedelta(0), True),  # brought back by a rebuild: their chain is old
    ],
)
def test_a_tape_of_years_ago_is_kept_from_when_it_was_stored(
    timescale: str, stored: timedelta, made: timedelta, goes: bool
) -> None:
    insert(timescale, [at(NOON)])
    stored_before(timescale, stored)
    made_before(timescale, NOON + DAY, made)

    done = let_go(timescale, Keep(ticks=30 * DAY))

    assert rows(timescale, "SELECT count(*) FROM ticks") == [(0 if goes else 1,)]
    assert [gone for gone, _ in done] == [1] * goes
    for _, [certificate] in done:
        assert certificate.chunk.startswith("_timescaledb_internal._hyper_")
        assert certificate.until_ns - certificate.from_ns == DAY // MICROSECOND * 1000


@pytest.mark.parametrize("compressed", [False, True])
def test_a_chunk_goes_only_with_certificates_of_exactly_its_rows(
    timescale: str, compressed: bool
) -> None:
    insert(timescale, [at(NOON + n * HOUR) for n in range(5)])
    stored_before(timescale, 40 * DAY)
    made_before(timescale, NOON + DAY, 40 * DAY)
    if compressed:
        rows(timescale, "SELECT compress_chunk(chunk) FROM show_chunks('ticks') AS chunk")
    with connected(timescale) as connection:
        [unit] = units(connection, "ticks", 31 * DAY)
        with connection.transaction():
            made, _ = certified(connection, unit, lambda _: Checked(0, None))
        anchor = anchors.made([], a_signer("ours"), retired=made)
        with pytest.raises(errors.IntegrityConstraintViolation, match="0 of them"):
            dropping.drop(connection, unit, made, patience_s=5)
        dropping.keep(connection, [(one, anchor) for one in made])
    insert(timescale, [at(NOON + 6 * HOUR)], 5)  # late, after it was certified
    with (
        connected(timescale) as connection,
        pytest.raises(errors.IntegrityConstraintViolation, match="6 rows in"),
    ):
        dropping.drop(connection, unit, made, patience_s=5)
    unbelt(timescale)
    rows(timescale, "DELETE FROM ticks WHERE log_offset = 2 RETURNING 1")
    with (
        connected(timescale) as connection,
        pytest.raises(errors.IntegrityConstraintViolation, match="are not the rows"),
    ):
        dropping.drop(connection, unit, made, patience_s=5)

    assert rows(timescale, "SELECT count(*) FROM ticks") == [(5,)]


@pytest.mark.parametrize("spoiled", [False, True])
def test_what_retention_drops_the_refresh_does_not_erase(timescale: str, spoiled: bool) -> None:
    keep = Keep(ticks=30 * DAY)
    [(today,)] = rows(timescale, "SELECT date_trunc('day', now(), 'UTC')")
    days = [today - n * DAY for n in (40, 32, 31, 30, 29, 1)]
    insert(timescale, [at(day) for day in days])
    refresh_candles(timescale)
    stored_before(timescale, 31 * DAY + MINUTE)
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

    let_go(timescale, keep)
    job(timescale, "candles_1s", "policy_refresh_continuous_aggregate")

    [(oldest,)] = rows(timescale, "SELECT min(at) FROM ticks")
    assert today - 31 * DAY <= oldest <= today - 30 * DAY
    assert ([bucket for bucket, _ in closes(timescale)] == sorted(days)) is not spoiled
