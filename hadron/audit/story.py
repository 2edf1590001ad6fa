"""How a fact came about and what became of it, step by step, each with its place and its hash."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from hadron.audit.names import Place, name_of
from hadron.desk.facts import IntentApproved, IntentRejected
from hadron.market.facts import PriceMarked, QuoteChanged, TradePrinted
from hadron.orders.facts import OrderFilled
from hadron.strategy.facts import DecisionMade
from hadron.topics import DECISIONS, INTENTS, ORDERS, POSITIONS, Topic

# The archive gave its bytes, or the log itself, or neither has it any more.
Where = Literal["archive", "log", "nowhere"]

# Whose facts are caused by a fact of this kind, as far as the story of an order goes.
FOLLOWING: dict[type[Any], Topic] = {
    TradePrinted: DECISIONS,
    QuoteChanged: DECISIONS,
    DecisionMade: INTENTS,
    IntentApproved: ORDERS,
    OrderFilled: POSITIONS,
    PriceMarked: POSITIONS,
}


class Share(msgspec.Struct, frozen=True):
    """What one strategy asked for of an intent."""

    strategy: str
    side: str
    quantity: str
    decision: str  # its place


class Step(msgspec.Struct, frozen=True):
    """One fact of a story. `kind` is its contract; "unknown" where the record cannot be read."""

    kind: str
    place: str  # topic/partition/offset
    found: Where
    content_hash: str | None = None  # SHA-256 of schema fingerprint and Avro body, in hex
    fact: Any = None
    frame: str | None = None  # of a raw event: what the venue sent, where it is text
    shares: tuple[Share, ...] = ()  # of an intent
    causes: tuple[Step, ...] = ()
    effects: tuple[Step, ...] = ()


def causes_of(fact: Any) -> tuple[Place, ...]:
    """Where the facts lie that a fact follows from: none of what came from outside.

    There may be several: an intent follows from each decision that was merged into it.
    """
    try:
        name = name_of(fact)
    except AttributeError:
        return ()
    return (Place(name.source, name.partition, name.offset),)


def is_intent(fact: Any) -> bool:
    """Whether the fact is a verdict on an order that somebody asked for."""
    return isinstance(fact, IntentApproved | IntentRejected)


def share_of(decision: DecisionMade, place: Place) -> Share:
    """What the decision that lies there asked for."""
    quantity = format(decision.quantity, "f")
    return Share(decision.strategy, decision.side, quantity, str(place))
