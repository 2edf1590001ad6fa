"""Candles of trades by minute and hour, exact where two trades have one time.

Suspect trades are in `ticks` and not in candles; so are trades that NUMERIC(20,8) cannot hold.
Hours are made of minutes: first, max, min, last and sums compose exactly.
"""

from alembic import op

from connectors.timescale.migrations.timescale import available

revision = "0004"
down_revision = "0003"

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

AGGREGATES = {
    "candles_1m": f"""
        SELECT time_bucket(INTERVAL '1 minute', at) AS bucket, instrument,
            first(price, {ORDER}) AS open, last(price, {ORDER}) AS close, {MEASURES}
        {TRADES} GROUP BY 1, 2
    """,
    "candles_1h": f"""
        SELECT time_bucket(INTERVAL '1 hour', bucket) AS bucket, instrument,
            first(open, bucket) AS open, last(close, bucket) AS close, {SUMS}
        FROM candles_1m GROUP BY 1, 2
    """,
}
VIEWS = {
    "candles_1m": f"""
        SELECT date_bin('1 minute', at, timestamptz '2000-01-01 00:00Z') AS bucket, instrument,
            (array_agg(price ORDER BY {ORDER}))[1] AS open,
            (array_agg(price ORDER BY {ORDER} DESC))[1] AS close, {MEASURES}
        {TRADES} GROUP BY 1, 2
    """,
    "candles_1h": f"""
        SELECT date_bin('1 hour', bucket, timestamptz '2000-01-01 00:00Z') AS bucket, instrument,
            (array_agg(open ORDER BY bucket))[1] AS open,
            (array_agg(close ORDER BY bucket DESC))[1] AS close, {SUMS}
        FROM candles_1m GROUP BY 1, 2
    """,
}
# start, end, every. Only what changed is computed again, so the window may be long; but it must be
# shorter than the retention of ticks, or candles of dropped ticks would be erased. A bucket is made
# only once it is over.
REFRESH = {
    "candles_1m": ("4 years", "2 minutes", "1 minute"),
    "candles_1h": ("4 years", "2 hours", "30 minutes"),
}


def upgrade() -> None:
    if not available():
        for name, select in VIEWS.items():
            op.execute(f"CREATE VIEW {name} AS {select}")
        return
    for name, select in AGGREGATES.items():
        op.execute(f"""
            CREATE MATERIALIZED VIEW {name}
            WITH (timescaledb.continuous, timescaledb.materialized_only = false)
            AS {select} WITH NO DATA
        """)
        start, end, every = REFRESH[name]
        op.execute(f"""
            SELECT add_continuous_aggregate_policy('{name}',
                start_offset => INTERVAL '{start}', end_offset => INTERVAL '{end}',
                schedule_interval => INTERVAL '{every}')
        """)
