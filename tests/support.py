"""Builders of facts with defaults for all that a test is not about."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from typing import Any

import msgspec

import schemas
from hadron.control.facts import RulesChanged, StrategyConfigured
from hadron.desk.facts import IntentApproved
from hadron.envelope import AvroCodec, Version
from hadron.fold import Received, Slice
from hadron.market.facts import QuoteChanged, RawReceived, TradePrinted
from hadron.orders.facts import OrderFilled
from hadron.portfolio.facts import PositionChanged
from hadron.strategy.facts import DecisionMade

T0_NS = 1_700_000_000_000_000_000


@cache
def codec() -> AvroCodec:
    """The codec of the committed catalogue."""
    return AvroCodec([Version(c.id, c.name, c.schema) for c in schemas.catalogue()])


def a_raw(payload: bytes = b"{}", **changes: Any) -> RawReceived:
    """A raw event of Massive."""
    raw = RawReceived("massive", "AAPL", "eq:AAPL", 1, 1, 0, T0_NS + 1_000_000, payload)
    return msgspec.structs.replace(raw, **changes)


def a_trade(price: str = "100", **changes: Any) -> TradePrinted:
    """A live trade of eq:AAPL at `price`."""
    whole, _, fraction = price.partition(".")
    trade = TradePrinted(
        raw_partition=0,
        raw_offset=0,
        instrument="eq:AAPL",
        venue="massive",
        at_ns=T0_NS,
        seen_ns=T0_NS + 1_000_000,
        sequence=1,
        price=int(whole + fraction),
        price_scale=len(fraction),
        size=100,
        size_scale=0,
        conditions=(),
        quality="live",
        lane="warm",
        reason="default",
    )
    return msgspec.structs.replace(trade, **changes)


def a_quote(bid: int = 9999, ask: int = 10001, **changes: Any) -> QuoteChanged:
    """A live quote of eq:AAPL, prices in cents."""
    quote = QuoteChanged(
        raw_partition=0,
        raw_offset=0,
        instrument="eq:AAPL",
        venue="massive",
        at_ns=T0_NS,
        seen_ns=T0_NS + 1_000_000,
        sequence=1,
        bid=bid,
        ask=ask,
        price_scale=2,
        bid_size=100,
        ask_size=100,
        size_scale=0,
        quality="live",
        lane="warm",
        reason="default",
    )
    return msgspec.structs.replace(quote, **changes)


def a_decision(**changes: Any) -> DecisionMade:
    """Buy 100 eq:AAPL at the market, with a bid of 99.99 and an ask of 100.01 known."""
    decision = DecisionMade(
        source="ticks.warm",
        partition=0,
        offset=0,
        index=0,
        raw_topic="raw.massive",
        raw_partition=0,
        raw_offset=0,
        strategy="sma",
        version="1",
        portfolio="main",
        instrument="eq:AAPL",
        venue="massive",
        at_ns=T0_NS,
        seen_ns=T0_NS + 1_000_000,
        side="buy",
        quantity=Decimal(100),
        limit_price=None,
        confidence=Decimal("0.5"),
        bid=Decimal("99.99"),
        ask=Decimal("100.01"),
        last=Decimal("100.00"),
        quality="live",
        evidence={},
        metadata={},
    )
    return msgspec.structs.replace(decision, **changes)


def an_approved_intent(**changes: Any) -> IntentApproved:
    """Buy 100 eq:AAPL at the market, approved."""
    intent = IntentApproved(
        source="decisions",
        partition=0,
        offset=0,
        index=0,
        verdict="decisions/0/0/0",
        strategy="sma",
        portfolio="main",
        instrument="eq:AAPL",
        venue="massive",
        at_ns=T0_NS,
        seen_ns=T0_NS + 1_000_000,
        side="buy",
        quantity=Decimal(100),
        order_type="market",
        limit_price=None,
        bid=Decimal("99.99"),
        ask=Decimal("100.01"),
        last=Decimal("100.00"),
        limits={},
    )
    return msgspec.structs.replace(intent, **changes)


def a_fill(**changes: Any) -> OrderFilled:
    """Bought 100 eq:AAPL at 100.01."""
    fill = OrderFilled(
        source="intents",
        partition=0,
        offset=0,
        index=0,
        order="h-0-0",
        verdict="decisions/0/0/0",
        strategy="sma",
        portfolio="main",
        instrument="eq:AAPL",
        venue="massive",
        at_ns=T0_NS,
        seen_ns=T0_NS + 1_000_000,
        side="buy",
        quantity=Decimal(100),
        price=Decimal("100.01"),
        price_from="ask",
        simulated=True,
    )
    return msgspec.structs.replace(fill, **changes)


def a_position(quantity: str = "100", **changes: Any) -> PositionChanged:
    """The position of strategy sma of portfolio main in eq:AAPL, never marked."""
    position = PositionChanged(
        source="orders",
        partition=0,
        offset=0,
        index=0,
        portfolio="main",
        strategy="sma",
        instrument="eq:AAPL",
        at_ns=T0_NS,
        quantity=Decimal(quantity),
        average_price=Decimal(100) if Decimal(quantity) else None,
        realised=Decimal(0),
        unrealised=None,
        mark=None,
    )
    return msgspec.structs.replace(position, **changes)


def some_rules(**changes: Any) -> RulesChanged:
    """Rules by which all ticks are WARM."""
    rules = RulesChanged(
        author="ann",
        reason="test",
        at_ns=T0_NS,
        version=1,
        fast=[],
        warm=[],
        cold=[],
        open_position_is_fast=True,
        volatile_bps=0,
        volatile_window_ms=0,
        stale_after_ms=0,
        default="warm",
    )
    return msgspec.structs.replace(rules, **changes)


def a_strategy(kind: str = "SimpleSMA", **changes: Any) -> StrategyConfigured:
    """A strategy named like its kind, switched on for all instruments."""
    configured = StrategyConfigured(
        author="ann",
        reason="test",
        at_ns=T0_NS,
        version=1,
        name=kind,
        kind=kind,
        enabled=True,
        portfolio="main",
        instruments=[],
        parameters={},
    )
    return msgspec.structs.replace(configured, **changes)


def a_slice(topic: str, *facts: Any, partition: int = 0, first: int = 0) -> Slice:
    """Facts at consecutive offsets."""
    records = [Received(first + place, fact) for place, fact in enumerate(facts)]
    return Slice(topic, partition, records)
