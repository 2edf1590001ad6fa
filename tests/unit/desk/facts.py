"""Builders of what people set for the desk."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from hadron.control.facts import LimitsChanged, TradingHalted, TradingResumed
from hadron.market.facts import PriceMarked
from tests.support import T0_NS


def some_limits(
    position: int = 500, notional: int = 50_000, exposure: int = 100_000, **changes: Any
) -> LimitsChanged:
    """Limits of the portfolio main."""
    limits = LimitsChanged(
        author="ada",
        reason="start",
        at_ns=T0_NS,
        version=1,
        portfolio="main",
        position=Decimal(position),
        notional=Decimal(notional),
        exposure=Decimal(exposure),
    )
    return msgspec.structs.replace(limits, **changes)


def a_halt() -> TradingHalted:
    """Ada stops trading."""
    return TradingHalted(author="ada", reason="fire drill", at_ns=T0_NS, version=1)


def a_resumption() -> TradingResumed:
    """Ada lets trading go on."""
    return TradingResumed(author="ada", reason="drill over", at_ns=T0_NS, version=2)


def a_mark(last: str | None = "100", **changes: Any) -> PriceMarked:
    """A mark of eq:AAPL without quotes."""
    mark = PriceMarked(
        source="ticks.warm",
        partition=0,
        offset=0,
        index=0,
        instrument="eq:AAPL",
        at_ns=T0_NS,
        bid=None,
        ask=None,
        last=None if last is None else Decimal(last),
    )
    return msgspec.structs.replace(mark, **changes)
