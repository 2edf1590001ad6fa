"""What people changed. It goes to every partition, so each shard meets it at a definite place."""

from __future__ import annotations

from decimal import Decimal

import msgspec


class RulesChanged(msgspec.Struct, frozen=True):
    """How ticks are routed: lists by instrument id, and when volatility makes a tick FAST."""

    author: str
    reason: str
    at_ns: int
    version: int
    fast: list[str]
    warm: list[str]
    cold: list[str]
    open_position_is_fast: bool
    volatile_bps: int  # a move of so many basis points within the window makes it FAST; 0 is off
    volatile_window_ms: int
    stale_after_ms: int
    default: str  # the lane of all else


class StrategyConfigured(msgspec.Struct, frozen=True):
    """One strategy, switched on or off, with its parameters. Compacted by name."""

    author: str
    reason: str
    at_ns: int
    version: int
    name: str
    kind: str  # SimpleSMA, Crossover
    enabled: bool
    portfolio: str
    instruments: list[str]  # empty: all
    parameters: dict[str, str]


class LimitsChanged(msgspec.Struct, frozen=True):
    """The limits of one portfolio. Notional and exposure are in the instruments' currency."""

    author: str
    reason: str
    at_ns: int
    version: int
    portfolio: str
    position: Decimal  # most units of one instrument a strategy may hold, long or short
    notional: Decimal  # most notional of one order
    exposure: Decimal  # most gross notional of the whole portfolio


class TradingHalted(msgspec.Struct, frozen=True):
    """No order leaves until TradingResumed."""

    author: str
    reason: str
    at_ns: int
    version: int


class TradingResumed(msgspec.Struct, frozen=True):
    """Orders may leave again."""

    author: str
    reason: str
    at_ns: int
    version: int


ControlFact = RulesChanged | StrategyConfigured | LimitsChanged | TradingHalted | TradingResumed
