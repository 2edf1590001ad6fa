"""What people ask of the archive, as views and functions: docs/queries.md tells what each says.

Indexes by strategy, portfolio, instrument and time alone, so that none of the questions reads a
whole table.
"""

from alembic import op

revision = "0008"
down_revision = "0007"

ASKED_BY = ("at DESC", "strategy, at DESC", "portfolio, at DESC", "instrument, at DESC")
INDEXES = (
    *(
        f"CREATE INDEX {table}_{by.partition(' ')[0].strip(',')}_newest ON {table} ({by})"
        for table in ("strategy_decisions", "order_intents", "order_executions")
        for by in ASKED_BY
    ),
    "CREATE INDEX order_executions_order ON order_executions (client_order)",
    "CREATE INDEX ticks_gaps ON ticks (at DESC) WHERE quality = 'gap'",
)

# What the desk said of a decision, and what became of its order: one row for each end. The order is
# NULL while nothing is known of it.
INTENTS_WITH_ENDS = """
CREATE VIEW intents_with_ends AS
SELECT i.at, i.log_topic, i.log_partition, i.log_offset,
    i.cause_topic, i.cause_partition, i.cause_offset,
    i.strategy, i.portfolio, i.instrument, i.venue, i.at_ns, i.seen_ns,
    i.side, i.quantity, i.order_type, i.limit_price, i.verdict, i.limits,
    i.outcome AS judged, coalesce(e.outcome, i.outcome) AS outcome,
    coalesce(e.reason, i.reason) AS reason,
    e.log_topic AS order_topic, e.log_partition AS order_partition, e.log_offset AS order_offset,
    e.client_order, CASE WHEN e.outcome = 'filled' THEN e.quantity END AS filled,
    e.price, e.price_from, e.simulated
FROM order_intents AS i
LEFT JOIN order_executions AS e
    ON e.cause_topic = i.log_topic AND e.cause_partition = i.log_partition
        AND e.cause_offset = i.log_offset
"""

DECISIONS_WITH_ENDS = """
CREATE VIEW decisions_with_ends AS
SELECT d.at, d.log_topic, d.log_partition, d.log_offset, d.raw_topic, d.raw_partition, d.raw_offset,
    d.strategy, d.version, d.portfolio, d.instrument, d.venue, d.at_ns, d.seen_ns,
    d.side, d.quantity, d.limit_price, d.confidence, d.bid, d.ask, d.last, d.quality,
    d.evidence, d.metadata,
    i.verdict, i.judged, i.outcome, i.reason, i.client_order,
    i.order_topic, i.order_partition, i.order_offset
FROM strategy_decisions AS d
LEFT JOIN intents_with_ends AS i
    ON i.cause_topic = d.log_topic AND i.cause_partition = d.log_partition
        AND i.cause_offset = d.log_offset
"""

ORDERS_WITH_FILLS = """
CREATE VIEW orders_with_fills AS
SELECT at, log_topic, log_partition, log_offset, strategy, portfolio, instrument, venue,
    at_ns, seen_ns, side, quantity, order_type, limit_price, verdict, limits, client_order,
    CASE WHEN judged <> 'approved' OR order_topic IS NOT NULL THEN outcome END AS outcome,
    filled, price, price_from, reason, simulated, order_topic, order_partition, order_offset
FROM intents_with_ends
WHERE judged <> 'dismissed'
"""

# Against the price that the order would have taken at its decision (hadron/orders/touch.py). Above
# zero is worse: bought dearer, or sold cheaper.
ORDER_SLIPPAGE = """
CREATE VIEW order_slippage AS
SELECT e.at, e.log_topic, e.log_partition, e.log_offset, e.client_order,
    e.strategy, e.portfolio, e.instrument, e.venue, e.side, e.quantity, e.price,
    touch.price AS touch, touch.price_from AS touch_from, lost.price AS slippage,
    round(lost.price * 10000 / touch.price, 8) AS slippage_bps, e.simulated
FROM order_executions AS e
LEFT JOIN order_intents AS i
    ON i.log_topic = e.cause_topic AND i.log_partition = e.cause_partition
        AND i.log_offset = e.cause_offset
LEFT JOIN strategy_decisions AS d
    ON d.log_topic = i.cause_topic AND d.log_partition = i.cause_partition
        AND d.log_offset = i.cause_offset
CROSS JOIN LATERAL (
    SELECT CASE e.side WHEN 'buy' THEN d.ask ELSE d.bid END AS price,
        CASE e.side WHEN 'buy' THEN 'ask' ELSE 'bid' END AS price_from
) AS quoted
CROSS JOIN LATERAL (
    SELECT CASE WHEN quoted.price > 0 THEN quoted.price WHEN d.last > 0 THEN d.last END AS price,
        CASE WHEN quoted.price > 0 THEN quoted.price_from WHEN d.last > 0 THEN 'last' END
            AS price_from
) AS touch
CROSS JOIN LATERAL (
    SELECT CASE e.side WHEN 'buy' THEN e.price - touch.price ELSE touch.price - e.price END AS price
) AS lost
WHERE e.outcome = 'filled'
"""

# A walk from instrument to instrument by the index: DISTINCT would read every tick.
INSTRUMENTS_TICKED = """
CREATE VIEW instruments_ticked AS
WITH RECURSIVE walk AS (
    (SELECT instrument, at FROM ticks ORDER BY instrument, at DESC LIMIT 1)
    UNION ALL
    SELECT following.instrument, following.at
    FROM walk CROSS JOIN LATERAL (
        SELECT t.instrument, t.at FROM ticks AS t
        WHERE t.instrument > walk.instrument ORDER BY t.instrument, t.at DESC LIMIT 1
    ) AS following
)
SELECT instrument, at AS newest FROM walk
"""

TICK_GAPS = """
CREATE VIEW tick_gaps AS
SELECT gap.at, gap.log_topic, gap.log_partition, gap.log_offset, gap.instrument, gap.venue,
    known.at AS after, gap.at_ns - known.at_ns AS silent_ns
FROM ticks AS gap
LEFT JOIN LATERAL (
    SELECT t.at, t.at_ns FROM ticks AS t
    WHERE t.instrument = gap.instrument AND t.at < gap.at ORDER BY t.at DESC LIMIT 1
) AS known ON true
WHERE gap.quality = 'gap'
"""

INSTRUMENT_LAG = """
CREATE FUNCTION instrument_lag(start timestamptz, stop timestamptz)
RETURNS TABLE (
    instrument text, ticks bigint, gaps bigint, late bigint, stale bigint, suspect bigint,
    lag_p50_ns bigint, lag_p95_ns bigint, lag_p99_ns bigint, lag_max_ns bigint
)
LANGUAGE sql STABLE AS $$
    SELECT known.instrument, found.ticks, found.gaps, found.late, found.stale, found.suspect,
        found.lag[1], found.lag[2], found.lag[3], found.lag[4]
    FROM instruments_ticked AS known
    CROSS JOIN LATERAL (
        SELECT count(*) AS ticks,
            count(*) FILTER (WHERE t.quality = 'gap') AS gaps,
            count(*) FILTER (WHERE t.quality = 'late') AS late,
            count(*) FILTER (WHERE t.quality = 'stale') AS stale,
            count(*) FILTER (WHERE t.quality = 'suspect') AS suspect,
            percentile_disc(ARRAY[0.5, 0.95, 0.99, 1])
                WITHIN GROUP (ORDER BY t.seen_ns - t.at_ns) AS lag
        FROM ticks AS t
        WHERE t.instrument = known.instrument AND t.at >= start AND t.at < stop
    ) AS found
    WHERE known.newest >= start AND found.ticks > 0
$$
"""

# The last change by place on the log, which the clock of a venue cannot turn round: all changes of
# one position lie in one partition. `before` has, for partition 0, 1, ..., the first offset that is
# not counted.
POSITIONS_AT = """
CREATE FUNCTION positions_at(
    moment timestamptz DEFAULT 'infinity', before bigint[] DEFAULT '{}'
)
RETURNS TABLE (
    at timestamptz, log_topic text, log_partition integer, log_offset bigint,
    portfolio text, strategy text, instrument text, quantity numeric, average_price numeric,
    realised numeric, unrealised numeric, mark numeric
)
LANGUAGE sql STABLE AS $$
    WITH RECURSIVE walk AS (
        (SELECT p.portfolio, p.strategy, p.instrument FROM positions AS p
        ORDER BY p.portfolio, p.strategy, p.instrument LIMIT 1)
        UNION ALL
        SELECT following.portfolio, following.strategy, following.instrument
        FROM walk CROSS JOIN LATERAL (
            SELECT p.portfolio, p.strategy, p.instrument FROM positions AS p
            WHERE (p.portfolio, p.strategy, p.instrument)
                > (walk.portfolio, walk.strategy, walk.instrument)
            ORDER BY p.portfolio, p.strategy, p.instrument LIMIT 1
        ) AS following
    )
    SELECT last.at, last.log_topic, last.log_partition, last.log_offset,
        walk.portfolio, walk.strategy, walk.instrument, last.quantity, last.average_price,
        last.realised, last.unrealised, last.mark
    FROM walk CROSS JOIN LATERAL (
        SELECT p.* FROM positions AS p
        WHERE p.portfolio = walk.portfolio AND p.strategy = walk.strategy
            AND p.instrument = walk.instrument AND p.at <= moment
            AND p.log_offset < coalesce(before[p.log_partition + 1], 9223372036854775807)
        ORDER BY p.log_partition, p.log_offset DESC LIMIT 1
    ) AS last
$$
"""


def upgrade() -> None:
    for index in INDEXES:
        op.execute(index)
    for view in (
        INTENTS_WITH_ENDS,
        DECISIONS_WITH_ENDS,
        ORDERS_WITH_FILLS,
        ORDER_SLIPPAGE,
        INSTRUMENTS_TICKED,
        TICK_GAPS,
        INSTRUMENT_LAG,
        POSITIONS_AT,
    ):
        op.execute(view)
