"""What the archive knows of a version of a strategy."""

from __future__ import annotations

import psycopg
from psycopg.rows import dict_row

from connectors.timescale.errors import our_errors
from connectors.timescale.records import table_of, value
from hadron.ports import Codec
from hadron.strategy.facts import StrategyDeployed
from hadron.topics import STRATEGIES

_OF_VERSION = "SELECT * FROM strategy_versions WHERE starts_with(version, %s) ORDER BY at, version"


def versions(url: str, prefix: str, codec: Codec) -> list[StrategyDeployed]:
    """Those whose hash begins so, each once."""
    with our_errors(), psycopg.connect(url, row_factory=dict_row) as connection:
        rows = connection.execute(_OF_VERSION, (prefix,)).fetchall()
    found = [codec.decode(value(table_of(STRATEGIES), row, codec)) for row in rows]
    return list({fact.version: fact for fact in found}.values())
