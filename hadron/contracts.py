"""Which class stands for which contract: `TradePrinted` is `schemas/avro/trade_printed.avsc`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from hadron.audit.facts import (
    AlertCleared,
    AlertRaised,
    CheckpointTaken,
    HeadsAnchored,
    RecordPoisoned,
    SlicesSequenced,
    StateHashed,
)
from hadron.control.facts import (
    LimitsChanged,
    RulesChanged,
    StrategyConfigured,
    TradingHalted,
    TradingResumed,
)
from hadron.desk.facts import DecisionDismissed, IntentApproved, IntentRejected
from hadron.market.facts import PriceMarked, QuoteChanged, RawReceived, TradePrinted
from hadron.orders.facts import OrderFilled, OrderRejected
from hadron.portfolio.facts import PositionChanged
from hadron.reference.facts import InstrumentListed
from hadron.strategy.facts import DecisionMade, StrategyDeployed

Fact = msgspec.Struct
FACTS: tuple[type[Any], ...] = (
    RawReceived,
    TradePrinted,
    QuoteChanged,
    PriceMarked,
    DecisionMade,
    IntentApproved,
    IntentRejected,
    DecisionDismissed,
    OrderFilled,
    OrderRejected,
    PositionChanged,
    RulesChanged,
    StrategyConfigured,
    LimitsChanged,
    TradingHalted,
    TradingResumed,
    StrategyDeployed,
    InstrumentListed,
    RecordPoisoned,
    AlertRaised,
    AlertCleared,
    CheckpointTaken,
    HeadsAnchored,
    SlicesSequenced,
    StateHashed,
)


def contract_name(fact: type[Any]) -> str:
    """The file name of a fact's contract, without its ending."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", fact.__name__).lower()


CLASS_OF: Mapping[str, type[Any]] = {contract_name(fact): fact for fact in FACTS}
