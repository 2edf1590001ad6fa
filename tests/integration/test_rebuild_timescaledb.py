"""What a rebuild changes in TimescaleDB: also in compressed chunks, and in the candles."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import psycopg

from connectors.timescale.access.roles import Access
from connectors.timescale.access.securing import secured
from connectors.timescale.querying import queries
from connectors.timescale.querying.answers import Candle
from connectors.timescale.rebuilding import staging
from connectors.timescale.rebuilding.comparing import bounds, compare, of_live, tell
from connectors.timescale.rebuilding.sources import Span
from connectors.timescale.rebuilding.swapping import swap
from connectors.timescale.storage.refresh import refresh_candles
from connectors.timescale.storage.windows import LEVELS
from tests.integration.access import unbelt
from tests.integration.inserting import insert
from tests.integration.market import START_NS, market

TICKS = 300
START = datetime.fromtimestamp(START_NS // 10**9, UTC)
TRIGGERS = "SELECT tgname FROM pg_trigger WHERE tgrelid = 'public.ticks'::regclass"
KEEP = """
    CREATE SCHEMA kept;
    CREATE TABLE kept.ticks AS SELECT * FROM ticks;
    GRANT USAGE ON SCHEMA kept TO PUBLIC;
    GRANT SELECT ON kept.ticks TO PUBLIC
"""
ROWS = "SELECT t::text FROM public.ticks AS t ORDER BY 1"


def rows(url: str) -> list[tuple[str]]:
    with psycopg.connect(url, autocommit=True, prepare_threshold=None) as connection:
        return connection.execute(ROWS).fetchall()


def execute(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True, prepare_threshold=None) as connection:
        connection.execute(statement.encode())


def candles(url: str) -> list[Candle]:
    day = timedelta(days=1)
    return [
        one
        for level in LEVELS
        for one in queries.candles(
            url,
            "eq:A",
            every=level.interval,
            start=START - day,
            end=START + 5 * day,
            limit=100_000,
        )
    ]


def test_compressed_chunks_are_mended_and_candles_follow(timescale: str) -> None:
    insert(timescale, market(random.Random(7), TICKS))
    refresh_candles(timescale)
    right = rows(timescale), candles(timescale)
    # given compressed rows of which some are wrong, so that candles are, too
    unbelt(timescale)
    for statement in (
        KEEP,
        "SELECT compress_chunk(chunk) FROM show_chunks('ticks') AS chunk",
        "DELETE FROM ticks WHERE log_offset % 7 = 3",
        "UPDATE ticks SET price = price + 1 WHERE log_offset % 11 = 1",
    ):
        execute(timescale, statement)
    secured(timescale, Access())
    refresh_candles(timescale)
    wrong = rows(timescale), candles(timescale)

    # when rebuilt rows are compared with them, and put in
    with psycopg.connect(timescale, autocommit=True, prepare_threshold=None) as connection:
        [(path,)] = connection.execute("SHOW search_path").fetchall()
        tables = staging.live(connection)
        staging.make(connection, tables)
        connection.execute("INSERT INTO ticks SELECT * FROM kept.ticks")
        place = ("ticks.fast", 0)
        asked = bounds([Span(*place, 0, TICKS)], {place: TICKS}, frozenset())
        tell(connection, asked)
        compare(connection, tables, asked, of_live(connection, tables, asked))
        swapped = swap(connection, tables)
        # All connections share one session there.
        connection.execute(f"SET search_path = {path}".encode())
        connection.execute("DISCARD TEMP")
        connection.execute("RESET ROLE")
    refresh_candles(timescale)

    # then all is right again, and the belt is on
    mended = rows(timescale), candles(timescale)
    with psycopg.connect(timescale, prepare_threshold=None) as connection:
        belts = connection.execute(TRIGGERS).fetchall()
    execute(timescale, "DROP SCHEMA kept CASCADE")
    assert wrong[0] != right[0]
    assert wrong[1] != right[1]
    assert mended == right
    assert swapped["ticks"].inserted == TICKS
    assert {("immutable",), ("immutable_rows",)} <= set(belts)
