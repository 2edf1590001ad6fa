"""Candles of old trades: what is loaded behind the policies' window is refreshed by hand."""

from __future__ import annotations

from datetime import datetime

import psycopg

from connectors.timescale.errors import our_errors
from connectors.timescale.schema import timescale_version

# The smaller first: hours are made of minutes.
VIEWS = ("candles_1m", "candles_1h")


def refresh_candles(url: str, start: datetime, end: datetime) -> None:
    """Make the candles of whole buckets within [start, end) again; nothing on plain PostgreSQL.

    Where the ticks were dropped by age, their candles are erased, too.
    """
    if timescale_version(url) is None:
        return  # views are never behind
    # Not in a transaction: the procedure commits by itself.
    with our_errors(), psycopg.connect(url, autocommit=True) as connection:
        for view in VIEWS:
            connection.execute("CALL refresh_continuous_aggregate(%s, %s, %s)", (view, start, end))
