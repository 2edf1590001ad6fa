"""From a decision to the order it asks for, or the reason why it asks for none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from hadron.audit.names import Name
from hadron.desk.facts import DecisionDismissed, IntentApproved, IntentRejected, OrderType
from hadron.orders.touch import touch
from hadron.strategy.facts import DecisionMade

DISMISSALS: tuple[tuple[str, Callable[[DecisionMade], bool]], ...] = (
    ("quantity is not above zero", lambda decision: decision.quantity <= 0),
    ("no confidence", lambda decision: decision.confidence <= 0),
    (
        "limit price is not above zero",
        lambda decision: decision.limit_price is not None and decision.limit_price <= 0,
    ),
    # Only suspect: after a gap, or late, the prices are still real ones.
    ("quality is suspect", lambda decision: decision.quality == "suspect"),
)


class Place(msgspec.Struct, frozen=True):
    """Where a decision lies on the log. It names the verdict and whatever follows."""

    source: str
    partition: int
    offset: int

    @property
    def verdict(self) -> str:
        """The id of the verdict on the decision that lies here."""
        return str(Name(self.source, self.partition, self.offset, 0))


def dismissal(decision: DecisionMade) -> str | None:
    """Why the decision asks for no order; None if it asks for one."""
    return next((reason for reason, applies in DISMISSALS if applies(decision)), None)


def judged_price(wanted: DecisionMade | IntentApproved, mark: Decimal | None) -> Decimal | None:
    """The price to judge an order by: the touch, else its limit, else the mark, else None."""
    found = touch(wanted.side, bid=wanted.bid, ask=wanted.ask, last=wanted.last)
    if found is not None:
        return found.price
    return mark if wanted.limit_price is None else wanted.limit_price


def approved(decision: DecisionMade, place: Place, limits: Mapping[str, str]) -> IntentApproved:
    """The order that may be sent."""
    return IntentApproved(**_order(decision, place), limits=dict(limits))


def rejected(
    decision: DecisionMade, place: Place, limits: Mapping[str, str], reason: str
) -> IntentRejected:
    """The order that must not be sent."""
    return IntentRejected(**_order(decision, place), limits=dict(limits), reason=reason)


def dismissed(decision: DecisionMade, place: Place, reason: str) -> DecisionDismissed:
    """No order."""
    return DecisionDismissed(**_named(decision, place), reason=reason)


def _order(decision: DecisionMade, place: Place) -> dict[str, Any]:
    order_type: OrderType = "market" if decision.limit_price is None else "limit"
    return {
        **_named(decision, place),
        "verdict": place.verdict,
        "venue": decision.venue,
        "side": decision.side,
        "quantity": decision.quantity,
        "order_type": order_type,
        "limit_price": decision.limit_price,
        "bid": decision.bid,
        "ask": decision.ask,
        "last": decision.last,
    }


def _named(decision: DecisionMade, place: Place) -> dict[str, Any]:
    return {
        "source": place.source,
        "partition": place.partition,
        "offset": place.offset,
        "index": 0,
        "strategy": decision.strategy,
        "portfolio": decision.portfolio,
        "instrument": decision.instrument,
        "at_ns": decision.at_ns,
        "seen_ns": decision.seen_ns,
    }
