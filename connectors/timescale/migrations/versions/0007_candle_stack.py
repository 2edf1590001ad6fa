"""Candles of seconds, minutes, hours and days, each made of the one below; prices to read.

The candles of 0004 are made anew from ticks, because an aggregate cannot be put on another source.
Policies are not made here: `hadron migrate` makes them from the settings.
"""

from alembic import op
from sqlalchemy import text

from connectors.timescale.migrations.timescale import available
from hadron.errors import HadronError

revision = "0007"
down_revision = "0006"

# Time, then place in the raw log, then venue: one number, no two trades of an instrument share it.
ORDER = """(at_ns::numeric * 1e33 + raw_offset::numeric * 1e14 + raw_partition::numeric * 1e10
    + hashtext(venue) + 2147483648)"""
MEASURES = """
    max(price) AS high, min(price) AS low,
    sum(size) AS volume, sum(price * size) AS notional, count(*) AS trades
"""
TRADES = "FROM ticks WHERE kind = 'trade' AND quality <> 'suspect' AND price * size IS NOT NULL"
SUMS = """
    max(high) AS high, min(low) AS low,
    sum(volume) AS volume, sum(notional) AS notional, sum(trades)::bigint AS trades
"""
# Each view, the width of its bucket, and the view that it is made of.
STACK = (
    ("candles_1m", "1 minute", "candles_1s"),
    ("candles_1h", "1 hour", "candles_1m"),
    ("candles_1d", "1 day", "candles_1h"),
)

AGGREGATES = {
    "candles_1s": f"""
        SELECT time_bucket(INTERVAL '1 second', at) AS bucket, instrument,
            first(price, {ORDER}) AS open, last(price, {ORDER}) AS close, {MEASURES}
        {TRADES} GROUP BY 1, 2
    """,
    **{
        name: f"""
        SELECT time_bucket(INTERVAL '{width}', bucket) AS bucket, instrument,
            first(open, bucket) AS open, last(close, bucket) AS close, {SUMS}
        FROM {below} GROUP BY 1, 2
    """
        for name, width, below in STACK
    },
}
VIEWS = {
    "candles_1s": f"""
        SELECT date_bin('1 second', at, timestamptz '2000-01-01 00:00Z') AS bucket, instrument,
            (array_agg(price ORDER BY {ORDER}))[1] AS open,
            (array_agg(price ORDER BY {ORDER} DESC))[1] AS close, {MEASURES}
        {TRADES} GROUP BY 1, 2
    """,
    **{
        name: f"""
        SELECT date_bin('{width}', bucket, timestamptz '2000-01-01 00:00Z') AS bucket, instrument,
            (array_agg(open ORDER BY bucket))[1] AS open,
            (array_agg(close ORDER BY bucket DESC))[1] AS close, {SUMS}
        FROM {below} GROUP BY 1, 2
    """
        for name, width, below in STACK
    },
}
# The mean is of sums at every width; it is made when it is read, for a mean of means is no mean.
PRICES = """
    SELECT bucket, instrument, open, high, low, close, volume,
        notional / NULLIF(volume, 0) AS vwap, notional, trades
    FROM {candles}
"""
# Candles that could not be made anew; a chunk of ticks begins with a day.
ORPHANS = """
    SELECT min(bucket) FROM candles_1m WHERE bucket < coalesce(
        (SELECT min(range_start) FROM timescaledb_information.chunks
            WHERE hypertable_name = 'ticks'), 'infinity')
"""

# TimescaleDB's own retention looks at the times in a chunk, and would drop a tape of years ago the
# day after it was stored; told to look at when a chunk was made, its job fails (2.23).
DROP = """
    CREATE PROCEDURE drop_stored_before(job_id integer, config jsonb) LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM drop_chunks((config ->> 'table')::regclass,
            created_before => now() - (config ->> 'age')::interval);
    END $$
"""


def upgrade() -> None:
    if available():
        op.execute(DROP)
        _demand_ticks_of_all_candles()
        for name in ("candles_1h", "candles_1m"):
            op.execute(f"DROP MATERIALIZED VIEW {name}")
        for name, select in AGGREGATES.items():
            op.execute(f"""
                CREATE MATERIALIZED VIEW {name}
                WITH (timescaledb.continuous, timescaledb.materialized_only = false)
                AS {select} WITH NO DATA
            """)
    else:
        for name in ("candles_1h", "candles_1m"):
            op.execute(f"DROP VIEW {name}")
        for name, select in VIEWS.items():
            op.execute(f"CREATE VIEW {name} AS {select}")
    for name in AGGREGATES:
        prices = name.replace("candles", "prices")
        op.execute(f"CREATE VIEW {prices} AS {PRICES.format(candles=name)}")


def _demand_ticks_of_all_candles() -> None:
    first = op.get_bind().execute(text(ORPHANS)).scalar()
    if first is not None:
        raise HadronError(
            f"candles_1m has candles from {first} whose ticks were dropped, and candles are made"
            " anew from ticks: restore these ticks, or copy these candles to a table of your own"
            " and refresh candles_1m there, which erases them"
        )
