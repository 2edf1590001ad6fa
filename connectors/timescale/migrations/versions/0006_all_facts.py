"""Raw events, marks, control changes, instruments and alerts: with them every fact has its table.

Marks and control facts are written to every partition. Each copy is a record of the log, so each
has its row: whoever compares, proves or rebuilds the log meets no exception.
"""

from alembic import op

from connectors.timescale.migrations.timescale import hypertable

revision = "0006"
down_revision = "0005"

LOG = """
    at timestamptz NOT NULL,
    log_topic text COLLATE "C" NOT NULL,
    log_partition integer NOT NULL,
    log_offset bigint NOT NULL,
    record bytea
"""
CAUSE = """
    cause_topic text COLLATE "C" NOT NULL,
    cause_partition integer NOT NULL,
    cause_offset bigint NOT NULL,
    cause_index integer NOT NULL
"""

# `at` is the time of receipt: what a venue says of time is within the payload.
RAW_EVENTS = f"""
CREATE TABLE raw_events ({LOG},
    seen_ns bigint NOT NULL,
    venue text COLLATE "C" NOT NULL,
    symbol text COLLATE "C" NOT NULL,
    instrument text COLLATE "C" NOT NULL,
    connection bigint NOT NULL,
    frame bigint NOT NULL,
    frame_index integer NOT NULL,
    payload bytea NOT NULL
)
"""

PRICE_MARKS = f"""
CREATE TABLE price_marks ({LOG}, {CAUSE},
    instrument text COLLATE "C" NOT NULL,
    at_ns bigint NOT NULL,
    bid numeric(20,8),
    bid_scale integer,
    ask numeric(20,8),
    ask_scale integer,
    last numeric(20,8),
    last_scale integer
)
"""

# `fact` is what the kind says beside the columns.
CONTROL_CHANGES = f"""
CREATE TABLE control_changes ({LOG},
    kind text COLLATE "C" NOT NULL,
    subject text COLLATE "C" NOT NULL,
    author text NOT NULL,
    reason text NOT NULL,
    version bigint NOT NULL,
    at_ns bigint NOT NULL,
    fact json NOT NULL
)
"""

INSTRUMENTS_LISTED = f"""
CREATE TABLE instruments_listed ({LOG},
    venue text COLLATE "C" NOT NULL,
    symbol text COLLATE "C" NOT NULL,
    instrument text COLLATE "C" NOT NULL,
    at_ns bigint NOT NULL
)
"""

ALERTS = f"""
CREATE TABLE alerts ({LOG}, {CAUSE},
    severity text COLLATE "C" NOT NULL,
    process text NOT NULL,
    subject text NOT NULL,
    text text NOT NULL,
    at_ns bigint NOT NULL
)
"""

# How rows are segmented when compressed, and how they are looked for beside their place.
TABLES = {
    "price_marks": ("instrument", "instrument, at DESC", PRICE_MARKS),
    "control_changes": ("kind", "subject, at DESC", CONTROL_CHANGES),
    "instruments_listed": ("venue", "venue, symbol, at DESC", INSTRUMENTS_LISTED),
    "alerts": ("log_topic", "at DESC", ALERTS),
}


def upgrade() -> None:
    # No index but the place: so many rows pay for each, and ticks lead here by it.
    _table("raw_events", RAW_EVENTS)
    hypertable("raw_events", chunk="1 day", segment="instrument", compress_after="7 days")
    for table, (segment, looked_for, statement) in TABLES.items():
        _table(table, statement)
        op.execute(f"CREATE INDEX {table}_newest ON {table} ({looked_for})")
        hypertable(table, chunk="7 days", segment=segment, compress_after="30 days")


def _table(table: str, statement: str) -> None:
    op.execute(statement)
    op.execute(f"""
        CREATE UNIQUE INDEX {table}_log ON {table} (log_topic, log_partition, log_offset, at)
    """)
