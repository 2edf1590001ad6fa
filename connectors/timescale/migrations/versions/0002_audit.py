"""Decisions, intents, executions, the history of positions, and dead letters."""

from alembic import op

from connectors.timescale.migrations.timescale import hypertable

revision = "0002"
down_revision = "0001"

LOG = """
    at timestamptz NOT NULL,
    log_topic text COLLATE "C" NOT NULL,
    log_partition integer NOT NULL,
    log_offset bigint NOT NULL,
    cause_topic text COLLATE "C" NOT NULL,
    cause_partition integer NOT NULL,
    cause_offset bigint NOT NULL,
    cause_index integer NOT NULL,
    record bytea
"""

DECISIONS = f"""
CREATE TABLE strategy_decisions ({LOG},
    raw_topic text NOT NULL,
    raw_partition integer NOT NULL,
    raw_offset bigint NOT NULL,
    strategy text NOT NULL,
    version text NOT NULL,
    portfolio text NOT NULL,
    instrument text NOT NULL,
    venue text NOT NULL,
    at_ns bigint NOT NULL,
    seen_ns bigint NOT NULL,
    side text NOT NULL,
    quantity numeric(20,8),
    quantity_scale integer NOT NULL,
    limit_price numeric(20,8),
    limit_price_scale integer,
    confidence numeric NOT NULL,
    confidence_scale integer NOT NULL,
    bid numeric(20,8),
    bid_scale integer,
    ask numeric(20,8),
    ask_scale integer,
    last numeric(20,8),
    last_scale integer,
    quality text NOT NULL,
    evidence json NOT NULL,
    metadata json NOT NULL,
    CHECK (record IS NOT NULL OR quantity IS NOT NULL)
)
"""

INTENTS = f"""
CREATE TABLE order_intents ({LOG},
    outcome text NOT NULL CHECK (outcome IN ('approved', 'rejected', 'dismissed')),
    verdict text,
    strategy text NOT NULL,
    portfolio text NOT NULL,
    instrument text NOT NULL,
    venue text,
    at_ns bigint NOT NULL,
    seen_ns bigint NOT NULL,
    side text,
    quantity numeric(20,8),
    quantity_scale integer,
    order_type text,
    limit_price numeric(20,8),
    limit_price_scale integer,
    bid numeric(20,8),
    bid_scale integer,
    ask numeric(20,8),
    ask_scale integer,
    last numeric(20,8),
    last_scale integer,
    limits json,
    reason text,
    CHECK (record IS NOT NULL OR outcome = 'dismissed' OR quantity IS NOT NULL),
    CHECK (outcome = 'approved' OR reason IS NOT NULL)
)
"""

EXECUTIONS = f"""
CREATE TABLE order_executions ({LOG},
    outcome text NOT NULL CHECK (outcome IN ('filled', 'rejected')),
    client_order text NOT NULL,
    verdict text NOT NULL,
    strategy text NOT NULL,
    portfolio text NOT NULL,
    instrument text NOT NULL,
    venue text NOT NULL,
    at_ns bigint NOT NULL,
    seen_ns bigint NOT NULL,
    side text NOT NULL,
    quantity numeric(20,8),
    quantity_scale integer NOT NULL,
    price numeric(20,8),
    price_scale integer,
    price_from text,
    reason text,
    simulated boolean NOT NULL,
    CHECK (record IS NOT NULL OR quantity IS NOT NULL)
)
"""

POSITIONS = f"""
CREATE TABLE positions ({LOG},
    portfolio text NOT NULL,
    strategy text NOT NULL,
    instrument text NOT NULL,
    at_ns bigint NOT NULL,
    quantity numeric(20,8),
    quantity_scale integer NOT NULL,
    average_price numeric,
    average_price_scale integer,
    realised numeric NOT NULL,
    realised_scale integer NOT NULL,
    unrealised numeric,
    unrealised_scale integer,
    mark numeric,
    mark_scale integer,
    CHECK (record IS NOT NULL OR quantity IS NOT NULL)
)
"""

# A record that the archive could not read lies here too, with its own place as its cause.
DEAD_LETTERS = f"""
CREATE TABLE dead_letters ({LOG},
    process text NOT NULL,
    error text NOT NULL,
    seen_ns bigint NOT NULL,
    key bytea,
    value bytea NOT NULL
)
"""

TABLES = {
    "strategy_decisions": ("instrument", DECISIONS),
    "order_intents": ("instrument", INTENTS),
    "order_executions": ("instrument", EXECUTIONS),
    "positions": ("instrument", POSITIONS),
    "dead_letters": ("log_topic", DEAD_LETTERS),
}


def upgrade() -> None:
    for table, (segment, statement) in TABLES.items():
        op.execute(statement)
        op.execute(f"""
            CREATE UNIQUE INDEX {table}_log
                ON {table} (log_topic, log_partition, log_offset, at)
        """)
        op.execute(f"""
            CREATE INDEX {table}_cause ON {table} (cause_topic, cause_partition, cause_offset)
        """)
        hypertable(table, chunk="7 days", segment=segment, compress_after="30 days")
    op.execute("""
        CREATE INDEX positions_latest
            ON positions (portfolio, strategy, instrument, log_partition, log_offset DESC)
    """)
