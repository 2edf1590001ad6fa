"""The newest trade, quote and position of those asked for, from the archive."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import psycopg
from psycopg.rows import class_row

from connectors.timescale.errors import our_errors

T = TypeVar("T")

# With as many digits as the venue wrote. What no column could hold is passed over.
_TRADES = """
    SELECT newest.* FROM unnest(%(instruments)s::text[]) AS asked (instrument)
    CROSS JOIN LATERAL (
        SELECT instrument, round(price, price_scale) AS last, round(size, size_scale) AS size,
            at_ns, quality, log_topic, log_partition, log_offset
        FROM ticks WHERE instrument = asked.instrument
            AND kind = 'trade' AND quality <> 'suspect' AND price IS NOT NULL
        ORDER BY at DESC, at_ns DESC, raw_offset DESC LIMIT 1
    ) AS newest
"""
_QUOTES = """
    SELECT newest.* FROM unnest(%(instruments)s::text[]) AS asked (instrument)
    CROSS JOIN LATERAL (
        SELECT instrument,
            CASE WHEN bid <> 0 OR bid_size <> 0 THEN round(bid, price_scale) END AS bid,
            round(bid_size, size_scale) AS bid_size,
            CASE WHEN ask <> 0 OR ask_size <> 0 THEN round(ask, price_scale) END AS ask,
            round(ask_size, size_scale) AS ask_size,
            at_ns, quality, log_topic, log_partition, log_offset
        FROM ticks WHERE instrument = asked.instrument
            AND kind = 'quote' AND quality <> 'suspect' AND bid IS NOT NULL AND ask IS NOT NULL
        ORDER BY at DESC, at_ns DESC, raw_offset DESC LIMIT 1
    ) AS newest
"""
# The last by place on the log: all changes of one position lie in one partition.
_POSITION = """
    SELECT portfolio, strategy, instrument, at_ns, quantity, average_price, realised, unrealised,
        mark, log_topic, log_partition, log_offset
    FROM positions WHERE (portfolio, strategy, instrument) = (%s, %s, %s)
    ORDER BY log_offset DESC LIMIT 1
"""


def trades(url: str, instruments: Sequence[str], row: type[T]) -> list[T]:
    """The newest trade of each instrument that has one, as `row`, whose fields name the columns."""
    return _all(url, _TRADES, {"instruments": list(instruments)}, row)


def quotes(url: str, instruments: Sequence[str], row: type[T]) -> list[T]:
    """The newest quote of each, likewise; a side without a price is None."""
    return _all(url, _QUOTES, {"instruments": list(instruments)}, row)


def position(url: str, holder: tuple[str, str, str], row: type[T]) -> list[T]:
    """The last position of (portfolio, strategy, instrument), if there is one."""
    return _all(url, _POSITION, holder, row)


def _all(
    url: str, query: str, parameters: dict[str, list[str]] | tuple[str, ...], row: type[T]
) -> list[T]:
    with our_errors(), psycopg.connect(url, row_factory=class_row(row)) as connection:
        return connection.execute(query.encode(), parameters).fetchall()
