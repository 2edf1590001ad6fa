"""Facts of every sink topic, the ugly ones among them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from hadron.audit.facts import AlertCleared, AlertRaised, RecordPoisoned
from hadron.control.facts import LimitsChanged, TradingHalted, TradingResumed
from hadron.desk.facts import DecisionDismissed, IntentRejected
from hadron.market.facts import PriceMarked
from hadron.orders.facts import OrderRejected
from hadron.portfolio.facts import PositionChanged
from hadron.reference.facts import InstrumentListed
from hadron.strategy.facts import StrategyDeployed
from tests.support import (
    T0_NS,
    a_decision,
    a_fill,
    a_quote,
    a_raw,
    a_strategy,
    a_trade,
    an_approved_intent,
    some_rules,
)

# Ticks below whose numbers NUMERIC(20,8) cannot hold.
UNHOLDABLE = (
    a_trade("0.123456789"),
    a_trade("1234567890123"),
    a_trade(size=15, size_scale=12),
    a_quote(bid=2**63 - 1, price_scale=2**31 - 1),
)
TICKS = (
    a_trade("1.50", conditions=(3, -4, 2**31 - 1)),
    a_trade("-3"),
    a_trade("0.10000000"),
    a_trade(price_scale=-2),
    a_trade(instrument="événement:日本", reason=""),
    a_trade(reason="\0"),  # no text of PostgreSQL
    a_quote(0, 0, at_ns=-1),
    *UNHOLDABLE,
)


def a_position(**changes: Any) -> PositionChanged:
    """Short 1.50 eq:AAPL after a fill."""
    position = PositionChanged(
        source="orders",
        partition=0,
        offset=0,
        index=0,
        portfolio="main",
        strategy="sma",
        instrument="eq:AAPL",
        at_ns=T0_NS,
        quantity=Decimal("-1.50"),
        average_price=Decimal("33.3333333333333333"),
        realised=Decimal("0.000"),
        unrealised=None,
        mark=None,
    )
    return msgspec.structs.replace(position, **changes)


def a_dismissal(**changes: Any) -> DecisionDismissed:
    """Nothing to do for the first decision."""
    dismissal = DecisionDismissed(
        source="decisions",
        partition=0,
        offset=0,
        index=0,
        strategy="sma",
        portfolio="main",
        instrument="eq:AAPL",
        at_ns=T0_NS,
        seen_ns=T0_NS + 1,
        reason='say "no"\n\t\\N',
    )
    return msgspec.structs.replace(dismissal, **changes)


def a_rejected_intent(**changes: Any) -> IntentRejected:
    """The first decision is beyond a limit."""
    intent = msgspec.structs.asdict(an_approved_intent(**changes))
    return IntentRejected(**intent, reason="position limit")


def a_rejected_order(**changes: Any) -> OrderRejected:
    """The first intent met no price."""
    order = msgspec.structs.asdict(a_fill(**changes))
    del order["price"], order["price_from"]
    return OrderRejected(**order, reason="no price")


def a_mark(**changes: Any) -> PriceMarked:
    """The first tick shows a bid of 99.90 and no ask."""
    mark = PriceMarked(
        source="ticks.fast",
        partition=0,
        offset=0,
        index=0,
        instrument="eq:AAPL",
        at_ns=T0_NS,
        bid=Decimal("99.90"),
        ask=None,
        last=Decimal(100),
    )
    return msgspec.structs.replace(mark, **changes)


def an_alert(**changes: Any) -> AlertRaised:
    """The first tick made a strategy raise."""
    text = "strategy 'sma' raised"
    alert = AlertRaised(
        "ticks.fast", 0, 0, 1, "warning", "engine", "strategy/sma", text, at_ns=T0_NS
    )
    return msgspec.structs.replace(alert, **changes)


def a_deployment(**changes: Any) -> StrategyDeployed:
    """What a version of SimpleSMA was made of."""
    deployment = StrategyDeployed(
        version="e361d728",
        kind="SimpleSMA",
        entry="a.b:C",
        parameters={"z": "1", "a": "2"},
        modules={"a.b": "x = 1\n"},
        models={"m.bin": "00"},
        distributions={"python": "3.11"},
        at_ns=T0_NS,
    )
    return msgspec.structs.replace(deployment, **changes)


def a_cleared_alert(**changes: Any) -> AlertCleared:
    """The database is well again."""
    text = "it is well again"
    cleared = AlertCleared(
        "process/archive", 0, T0_NS, 0, "critical", "archive", "archive/database", text, T0_NS
    )
    return msgspec.structs.replace(cleared, **changes)


def some_limits(**changes: Any) -> LimitsChanged:
    """The limits of portfolio main."""
    limits = LimitsChanged(
        author="ann",
        reason="test",
        at_ns=T0_NS,
        version=1,
        portfolio="main",
        position=Decimal("1.50"),
        notional=Decimal("1e-18"),
        exposure=Decimal(10**15),
    )
    return msgspec.structs.replace(limits, **changes)


CONTROL = (
    some_rules(fast=["eq:AAPL", "événement:日本"], volatile_bps=-1, reason='say "no"'),
    a_strategy(parameters={"z": "1", "a": "\0", "m": ""}),
    some_limits(),
    TradingHalted("ann", "test", T0_NS, 2**63 - 1),
    TradingResumed("ann", "", T0_NS, 0),
    some_rules(author="\0"),  # no text of PostgreSQL
)
RAW = (
    a_raw(b'{"ev":"T","p":1.50}'),
    a_raw(b"", frame=2),
    a_raw(bytes(range(256)), symbol="日本", frame=2**63 - 1, index=2**31 - 1, seen_ns=-1),
    a_raw(symbol="\0", frame=3),
)


def by_topic() -> dict[str, tuple[Any, ...]]:
    """What to append where."""
    letter = RecordPoisoned("raw.x", 0, 1, 0, "normalize", "bad", T0_NS, b"\0k", b"\xff")
    return {
        "raw.massive": RAW,
        "ticks.fast": TICKS,
        "decisions": (
            a_decision(),
            a_decision(limit_price=Decimal("99.9900"), evidence={"b": "1", "a": "\0"}),
            a_decision(quantity=Decimal("1e-9"), bid=None, metadata={"é": "日本"}),
            a_decision(version="\0"),
        ),
        "intents": (
            an_approved_intent(limits={"z": "1", "a": "2"}),
            a_rejected_intent(order_type="limit", limit_price=Decimal("1.0")),
            a_dismissal(),
        ),
        "orders": (a_fill(), a_rejected_order()),
        "positions": (a_position(), a_position(average_price=None, mark=Decimal("1e-18"))),
        "marks": (a_mark(), a_mark(ask=Decimal("1e-9"), last=None, index=1)),
        "control": CONTROL,
        "instruments": (InstrumentListed("massive", "AAPL", "eq:AAPL", T0_NS),),
        "strategies": (a_deployment(), a_deployment(modules={"a": "\0", "é": "日本\n"}, models={})),
        "alerts": (
            an_alert(),
            an_alert(index=2, severity="critical", text="\0"),
            a_cleared_alert(),
        ),
        "dead": (
            letter,
            msgspec.structs.replace(letter, error="a\0b", key=None, value=b""),
        ),
    }
