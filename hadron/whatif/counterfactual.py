"""The desk under other limits: what it would have approved, and what would have come of it.

Live's desk is stepped as it was, and beside it, from the beginning of what is asked about, another
of the same state under the other limits. Both see the same decisions, marks and changes. Of orders
the other sees those of live that it approved, too. An order that live had not is filled at once, at
the touch that its decision saw, as live's simulation fills it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from hadron.audit.names import name_of
from hadron.control.facts import LimitsChanged
from hadron.desk.desk import Desk, Outcome
from hadron.desk.facts import DecisionDismissed, IntentApproved, IntentRejected
from hadron.fold import Received, Slice
from hadron.orders.facts import OrderFilled, OrderRejected
from hadron.orders.fills import simulated_order
from hadron.strategy.facts import DecisionMade, Side
from hadron.whatif.prices import Prices
from hadron.whatif.worth import NOTHING, Profit, Whose, Worth

COUNTERFACTUAL = "counterfactual"
ORDERS = "orders"


class Judged(msgspec.Struct, frozen=True):
    """A verdict: why not, if it is not approved, and what each limit saw: "100+100 of 500"."""

    approved: bool
    reason: str | None
    limits: dict[str, str]


class Changed(msgspec.Struct, frozen=True):
    """A decision that became an order on one side only. `order` is its verdict's id, on both."""

    order: str
    at_ns: int
    portfolio: str
    strategy: str
    instrument: str
    side: Side
    quantity: Decimal
    live: Judged
    counterfactual: Judged


class Effect(msgspec.Struct, frozen=True):
    """What a strategy made since the beginning, marked at the newest prices on both sides."""

    portfolio: str
    strategy: str
    live: Profit
    counterfactual: Profit


class Counts(msgspec.Struct):
    """Decisions by what became of them; `equal` counts outcomes that are so field by field."""

    judged: int = 0
    equal: int = 0
    approved: int = 0  # by live
    stopped: int = 0  # live approved it, the other limits would not have
    allowed: int = 0  # the other way round


class Counterfactual:
    """Takes what live's desk of one shard takes, and what it said, slice by slice.

    Until `begin` there is one side only. `limits` are those of some portfolios, for all that
    follows; of the others live's changes hold. With none given both sides are live's.
    """

    def __init__(self, live: Desk, limits: Mapping[str, LimitsChanged]) -> None:
        self.counts = Counts()
        self.changed: list[Changed] = []
        self._live = live
        self._limits = limits
        self._prices = Prices()
        self._live_worth = Worth()
        self._altered: set[str] = set()  # verdicts
        self._allowed: Counter[int] = Counter()  # by partition of the decision
        self._other: Desk | None = None
        self._other_worth = Worth()
        self._before: Mapping[Whose, Profit] = {}

    def begin(self) -> None:
        """Let the sides part, from what both are now. To be called once."""
        self._before = self._live_worth.profits(self._prices.newest)
        self._other_worth = self._live_worth.twin()
        self._other = Desk()
        self._other.restore(self._live.snapshot())
        for limits in self._limits.values():
            self._other.step(Slice("control", 0, [Received(0, limits)]))

    def take(self, slice: Slice, outcomes: Sequence[Outcome]) -> None:
        """Take a slice that live's desk was stepped by, and the outcomes of its decisions."""
        for received in slice.records:
            self._prices.take(received.fact)
        if slice.topic == ORDERS:
            self._live_worth.take(slice)
        if self._other is not None:
            said = iter(outcomes)
            for received in slice.records:
                self._step(self._other, Slice(slice.topic, slice.partition, [received]), said)

    def effects(self) -> list[Effect]:
        """What came of it since `begin`, by portfolio and strategy."""
        live = self._live_worth.profits(self._prices.newest)
        other = self._other_worth.profits(self._prices.newest)
        return [
            Effect(
                *whose,
                live=live.get(whose, NOTHING) - self._before.get(whose, NOTHING),
                counterfactual=other.get(whose, NOTHING) - self._before.get(whose, NOTHING),
            )
            for whose in sorted(live.keys() | other.keys())
        ]

    def _step(self, other: Desk, one: Slice, said: Iterator[Outcome]) -> None:
        fact = one.records[0].fact
        match fact:
            case DecisionMade():
                [outcome] = other.step(one)
                self._judge(other, fact, next(said), outcome)
            case IntentApproved() | IntentRejected() | DecisionDismissed():
                # What live said of it would undo what was said here.
                if str(name_of(fact)) not in self._altered:
                    other.step(one)
            case OrderFilled() | OrderRejected():
                if fact.verdict not in self._altered:
                    other.step(one)
                    self._other_worth.take(one)
            case LimitsChanged(portfolio=portfolio) if portfolio in self._limits:
                pass
            case _:
                other.step(one)

    def _judge(self, other: Desk, decision: DecisionMade, live: Outcome, then: Outcome) -> None:
        was, would_be = _judged(live), _judged(then)
        counts = self.counts
        counts.judged += 1
        counts.equal += live == then
        counts.approved += was.approved
        if was.approved == would_be.approved:
            return
        counts.stopped += was.approved
        counts.allowed += would_be.approved
        order = str(name_of(then))
        self._altered.add(order)
        self.changed.append(
            Changed(
                order=order,
                at_ns=decision.at_ns,
                portfolio=decision.portfolio,
                strategy=decision.strategy,
                instrument=decision.instrument,
                side=decision.side,
                quantity=decision.quantity,
                live=was,
                counterfactual=would_be,
            )
        )
        if isinstance(then, IntentApproved):
            self._send(other, then)

    def _send(self, other: Desk, intent: IntentApproved) -> None:
        """Fill an order that live has not. It has a name of its own, in its own row."""
        partition = intent.partition
        named = {"partition": partition, "offset": self._allowed[partition]}
        self._allowed[partition] += 1
        order = msgspec.structs.replace(
            simulated_order(intent, **named),
            source=COUNTERFACTUAL,
            order=f"{COUNTERFACTUAL}-{intent.verdict}",
        )
        orders = Slice(COUNTERFACTUAL, partition, [Received(named["offset"], order)])
        other.step(orders)
        self._other_worth.take(orders)


def _judged(outcome: Any) -> Judged:
    match outcome:
        case IntentApproved(limits=limits):
            return Judged(True, None, limits)
        case IntentRejected(limits=limits, reason=reason):
            return Judged(False, reason, limits)
        case DecisionDismissed(reason=reason):
            return Judged(False, reason, {})
    raise TypeError(f"{type(outcome).__name__} is no outcome of a decision")
