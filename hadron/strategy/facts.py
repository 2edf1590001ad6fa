"""What strategies decided, and what they were made of."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

import msgspec

Side = Literal["buy", "sell"]


class DecisionMade(msgspec.Struct, frozen=True):
    """A strategy wants to trade. It names the tick that made it decide and the numbers it saw."""

    source: str  # the tick's topic
    partition: int
    offset: int
    index: int  # among the decisions that this tick caused
    raw_topic: str
    raw_partition: int
    raw_offset: int
    strategy: str
    version: str  # the hash that names a StrategyDeployed
    portfolio: str
    instrument: str
    venue: str
    at_ns: int
    seen_ns: int
    side: Side
    quantity: Decimal
    limit_price: Decimal | None  # None: at the market
    confidence: Decimal  # 0 to 1
    bid: Decimal | None  # the last real prices of the instrument when it decided
    ask: Decimal | None
    last: Decimal | None
    quality: str
    evidence: dict[str, str]  # indicator values, exact text
    metadata: dict[str, str]


class StrategyDeployed(msgspec.Struct, frozen=True):
    """All that one version of a strategy is made of. Said by who runs it, before it decides.

    `version` is the SHA-256 of the rest but `at_ns`, in hex; see hadron.strategy.versions.
    """

    version: str
    kind: str
    entry: str  # module:Class
    parameters: dict[str, str]  # all of them, defaults included
    modules: dict[str, str]  # source by name
    models: dict[str, str]  # SHA-256 of files that it names, in hex
    distributions: dict[str, str]  # version by name
    at_ns: int  # of the configuration that deployed it
