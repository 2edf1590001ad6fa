"""Trades and quotes in one table.

Every row has the columns that give back its record's exact bytes. A number that NUMERIC(20,8)
would round is NULL, and `record` holds the bytes; so it does for a record of an older contract.
Scales are columns of their own, because compression may merge 1.5 and 1.50.
"""

from alembic import op

from connectors.timescale.migrations.timescale import hypertable

revision = "0001"
down_revision = None

TICKS = """
CREATE TABLE ticks (
    at timestamptz NOT NULL,
    at_ns bigint NOT NULL,
    seen_ns bigint NOT NULL,
    log_topic text COLLATE "C" NOT NULL,
    log_partition integer NOT NULL,
    log_offset bigint NOT NULL,
    raw_partition integer NOT NULL,
    raw_offset bigint NOT NULL,
    kind text COLLATE "C" NOT NULL CHECK (kind IN ('trade', 'quote')),
    instrument text COLLATE "C" NOT NULL,
    venue text COLLATE "C" NOT NULL,
    sequence bigint NOT NULL,
    price numeric(20,8),
    size numeric(20,8),
    bid numeric(20,8),
    ask numeric(20,8),
    bid_size numeric(20,8),
    ask_size numeric(20,8),
    price_scale integer NOT NULL,
    size_scale integer NOT NULL,
    conditions integer[],
    quality text COLLATE "C" NOT NULL,
    lane text COLLATE "C" NOT NULL,
    reason text COLLATE "C" NOT NULL,
    record bytea,
    CHECK (record IS NOT NULL
        OR num_nonnulls(price, size, conditions) = 3
        OR num_nonnulls(bid, ask, bid_size, ask_size) = 4)
)
"""


def upgrade() -> None:
    op.execute(TICKS)
    op.execute("""
        CREATE UNIQUE INDEX ticks_log ON ticks (log_topic, log_partition, log_offset, at)
    """)
    op.execute("CREATE INDEX ticks_instrument ON ticks (instrument, at DESC)")
    hypertable("ticks", chunk="1 day", segment="instrument", compress_after="7 days")
