"""Many rows, made in the database: what a plan or a time is worth depends on how many there are."""

from __future__ import annotations

import psycopg

from connectors.timescale import schema

INSTRUMENTS = 49  # no divisor of round numbers: each has its share of decisions
STRATEGIES = 5

# Tick n: a trade a millisecond, partition n % 4, offset n / 4, its raw event at the same place.
TICKS = """
INSERT INTO ticks (at, at_ns, seen_ns, log_topic, log_partition, log_offset, raw_partition,
    raw_offset, kind, instrument, venue, sequence, price, size, conditions, price_scale,
    size_scale, quality, lane, reason)
SELECT to_timestamp(1700000000) + n * interval '1 millisecond',
    1700000000000000000 + n * 1000000, 1700000000000000000 + n * 1000000 + 2500000,
    'ticks.warm', n % 4, n / 4, n % 4, n / 4, 'trade', 'eq:S' || n % {instruments}, 'massive',
    n, 100 + n % 97 * 0.01, 100, '{{}}', 2, 0,
    CASE WHEN n % 4900 = 7 THEN 'gap' ELSE 'live' END, 'warm', 'default'
FROM generate_series(0::bigint, {ticks} - 1) AS n
"""
# The raw event of each tick that led to a decision.
RAW = """
INSERT INTO raw_events (at, log_topic, log_partition, log_offset, seen_ns, venue, symbol,
    instrument, connection, frame, frame_index, payload)
SELECT to_timestamp(seen_ns / 1000 / 1e6), 'raw.massive', raw_partition, raw_offset, seen_ns,
    venue, substr(instrument, 4), instrument, 1, sequence, 0,
    convert_to(format('{{"ev":"T","sym":"%s","p":%s,"s":100,"t":%s,"q":%s}}',
        substr(instrument, 4), price, at_ns / 1000000, sequence), 'UTF8')
FROM ticks WHERE sequence % {every} = 0
"""
# Decision k follows from tick k * every; an intent and an order from each decision.
DECISIONS = """
INSERT INTO strategy_decisions (at, log_topic, log_partition, log_offset, cause_topic,
    cause_partition, cause_offset, cause_index, raw_topic, raw_partition, raw_offset, strategy,
    version, portfolio, instrument, venue, at_ns, seen_ns, side, quantity, quantity_scale,
    confidence, confidence_scale, bid, bid_scale, ask, ask_scale, quality, evidence, metadata)
SELECT at, 'decisions', k % 4, k / 4, 'ticks.warm', log_partition, log_offset, 0,
    'raw.massive', raw_partition, raw_offset, 's' || k % {strategies}, '1', 'main', instrument,
    venue, at_ns, seen_ns, 'buy', 100, 0, 0.5, 1, price - 0.01, 2, price + 0.01, 2, quality,
    '{{"sma": "100.01"}}', '{{}}'
FROM (SELECT *, sequence / {every} AS k FROM ticks WHERE sequence % {every} = 0) AS decided
"""
INTENTS = """
INSERT INTO order_intents (at, log_topic, log_partition, log_offset, cause_topic,
    cause_partition, cause_offset, cause_index, outcome, verdict, strategy, portfolio, instrument,
    venue, at_ns, seen_ns, side, quantity, quantity_scale, order_type, bid, bid_scale, ask,
    ask_scale, limits)
SELECT at, 'intents', log_partition, log_offset, 'decisions', log_partition, log_offset, 0,
    'approved', format('decisions/%s/%s/0', log_partition, log_offset), strategy, portfolio,
    instrument, venue, at_ns, seen_ns, side, quantity, 0, 'market', bid, 2, ask, 2,
    '{{"position": "0+100 of 500"}}'
FROM strategy_decisions
"""
ORDERS = """
INSERT INTO order_executions (at, log_topic, log_partition, log_offset, cause_topic,
    cause_partition, cause_offset, cause_index, outcome, client_order, verdict, strategy,
    portfolio, instrument, venue, at_ns, seen_ns, side, quantity, quantity_scale, price,
    price_scale, price_from, simulated)
SELECT at, 'orders', log_partition, log_offset, 'intents', log_partition, log_offset, 0, 'filled',
    format('h-intents-%s-%s', log_partition, log_offset), verdict, strategy, portfolio, instrument,
    venue, at_ns, seen_ns, side, quantity, 0, ask, 2, 'ask', true
FROM order_intents
"""
POSITIONS = """
INSERT INTO positions (at, log_topic, log_partition, log_offset, cause_topic, cause_partition,
    cause_offset, cause_index, portfolio, strategy, instrument, at_ns, quantity, quantity_scale,
    average_price, average_price_scale, realised, realised_scale)
SELECT at, 'positions', log_partition, log_offset, 'orders', log_partition, log_offset, 0,
    portfolio, strategy, instrument, at_ns, 100, 0, price, 2, 0, 0
FROM order_executions
"""
TABLES = (
    "ticks",
    "raw_events",
    "strategy_decisions",
    "order_intents",
    "order_executions",
    "positions",
)


def fill(url: str, *, ticks: int, every: int) -> None:
    """Migrate and store so many ticks, each of which `every` leads to an order."""
    schema.migrate(url)
    of_each = {"instruments": INSTRUMENTS, "strategies": STRATEGIES}
    numbers = {"ticks": ticks, "every": every, **of_each}
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET synchronous_commit = off")
        for statement in (TICKS, RAW, DECISIONS, INTENTS, ORDERS, POSITIONS):
            connection.execute(statement.format(**numbers).encode())
        for table in TABLES:
            connection.execute(f"VACUUM ANALYZE {table}".encode())
