"""Alerts that end, and what each portfolio risks: now, at a time, or at offsets.

What is cleared lies beside what was raised, whose outcome is NULL.
"""

from alembic import op

revision = "0009"
down_revision = "0008"

COLUMN = 'ALTER TABLE alerts ADD COLUMN outcome text COLLATE "C"'
INDEX = "CREATE INDEX alerts_subject ON alerts (subject, log_partition, log_offset)"

# The end is the next that was cleared of that subject, by place: all of a subject lie in one
# partition.
ALERTS_WITH_ENDS = """
CREATE VIEW alerts_with_ends AS
SELECT a.at, a.log_topic, a.log_partition, a.log_offset,
    a.cause_topic, a.cause_partition, a.cause_offset,
    a.severity, a.process, a.subject, a.text, a.at_ns, ended.at AS cleared_at
FROM alerts AS a
LEFT JOIN LATERAL (
    SELECT c.at FROM alerts AS c
    WHERE c.subject = a.subject AND c.log_topic = a.log_topic
        AND c.log_partition = a.log_partition AND c.log_offset > a.log_offset
        AND c.outcome = 'cleared'
    ORDER BY c.log_offset LIMIT 1
) AS ended ON true
WHERE a.outcome IS NULL
"""

# Each position at its mark, or at its cost where nobody marked it yet: `unmarked` counts these. The
# limits are those in force at that time, by place on the log; every partition has all of them.
EXPOSURE_AT = """
CREATE FUNCTION exposure_at(
    moment timestamptz DEFAULT 'infinity', before bigint[] DEFAULT '{}'
)
RETURNS TABLE (
    portfolio text, positions bigint, unmarked bigint, gross numeric, net numeric,
    realised numeric, unrealised numeric,
    exposure_limit numeric, notional_limit numeric, position_limit numeric, halted boolean
)
LANGUAGE sql STABLE AS $$
    SELECT held.*, (known.fact ->> 'exposure')::numeric, (known.fact ->> 'notional')::numeric,
        (known.fact ->> 'position')::numeric, coalesce(trading.halted, false)
    FROM (
        SELECT p.portfolio, count(*) FILTER (WHERE p.quantity <> 0),
            count(*) FILTER (WHERE p.quantity <> 0 AND p.mark IS NULL),
            sum(abs(p.quantity) * coalesce(p.mark, p.average_price, 0)),
            sum(p.quantity * coalesce(p.mark, p.average_price, 0)),
            sum(p.realised), sum(p.unrealised)
        FROM positions_at(moment, before) AS p GROUP BY p.portfolio
    ) AS held (portfolio)
    LEFT JOIN LATERAL (
        SELECT c.fact FROM control_changes AS c
        WHERE c.subject = 'limits/' || held.portfolio AND c.log_partition = 0 AND c.at <= moment
        ORDER BY c.log_offset DESC LIMIT 1
    ) AS known ON true
    LEFT JOIN LATERAL (
        SELECT c.kind = 'TradingHalted' AS halted FROM control_changes AS c
        WHERE c.subject = 'trading' AND c.log_partition = 0 AND c.at <= moment
        ORDER BY c.log_offset DESC LIMIT 1
    ) AS trading ON true
$$
"""


def upgrade() -> None:
    for statement in (COLUMN, INDEX, ALERTS_WITH_ENDS, EXPOSURE_AT):
        op.execute(statement)
