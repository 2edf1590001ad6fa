"""No order of events lets approved orders breach a limit, and a restart changes nothing."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import hypothesis.strategies as st
import msgspec
from hypothesis import settings
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, multiple, rule

from hadron.desk.desk import Desk
from hadron.desk.facts import IntentApproved
from hadron.orders.facts import OrderFilled
from hadron.orders.fills import simulated_order
from tests.support import a_decision, a_slice
from tests.unit.desk.facts import a_halt, a_mark, a_resumption, some_limits
from tests.unit.desk.test_desk import a_rejection

INSTRUMENTS = ("eq:AAPL", "eq:MSFT")
PRICES = {"eq:AAPL": Decimal(10), "eq:MSFT": Decimal(3)}


class Interleavings(RuleBasedStateMachine):
    """Counts positions and open orders on its own, from nothing but what was approved."""

    approved = Bundle("approved")

    def __init__(self) -> None:
        super().__init__()
        self.desk = Desk()
        self.parts: dict[str, bytes] = {}
        self.limits = some_limits(position=0, notional=0, exposure=0)
        self.halted = False
        self.positions: dict[tuple[str, str], Decimal] = {}
        self.open: dict[int, IntentApproved] = {}
        self.offsets = {"decisions": 0, "intents": 0, "orders": 0, "control": 0, "marks": 0}

    def put(self, topic: str, fact: Any) -> list[Any]:
        outputs = list(self.desk.step(a_slice(topic, fact, first=self.offsets[topic])))
        self.offsets[topic] += 1
        return outputs

    @rule(position=st.integers(0, 30), notional=st.integers(0, 200), exposure=st.integers(0, 400))
    def change_limits(self, position: int, notional: int, exposure: int) -> None:
        self.limits = some_limits(position, notional, exposure)
        self.put("control", self.limits)

    @rule(halt=st.booleans())
    def halt_or_resume(self, halt: bool) -> None:
        self.put("control", a_halt() if halt else a_resumption())
        self.halted = halt

    @rule(instrument=st.sampled_from(INSTRUMENTS))
    def mark(self, instrument: str) -> None:
        self.put("marks", a_mark(str(PRICES[instrument]), instrument=instrument))

    @rule(
        target=approved,
        strategy=st.sampled_from(("sma", "crossover")),
        instrument=st.sampled_from(INSTRUMENTS),
        side=st.sampled_from(("buy", "sell")),
        quantity=st.integers(0, 20),
    )
    def decide(self, strategy: str, instrument: str, side: Any, quantity: int) -> Any:
        price = PRICES[instrument]
        decision = a_decision(
            offset=self.offsets["decisions"],
            strategy=strategy,
            instrument=instrument,
            side=side,
            quantity=Decimal(quantity),
            bid=price,
            ask=price,
            last=price,
        )
        before = self.worst()
        [outcome] = self.put("decisions", decision)
        offset, self.offsets["intents"] = self.offsets["intents"], self.offsets["intents"] + 1
        if not isinstance(outcome, IntentApproved):
            return multiple()
        self.open[offset] = outcome
        self.check(outcome, before)
        return offset

    @rule(count=st.integers(1, 3), fill=st.booleans())
    def end_oldest(self, count: int, fill: bool) -> None:
        """The gateway answers intents in their order."""
        for offset in sorted(self.open)[:count]:
            intent = self.open.pop(offset)
            order = (
                simulated_order(intent, partition=0, offset=offset)
                if fill
                else a_rejected(intent, offset)
            )
            self.put("orders", order)
            if isinstance(order, OrderFilled):
                key = (order.strategy, order.instrument)
                change = order.quantity if order.side == "buy" else -order.quantity
                self.positions[key] = self.positions.get(key, Decimal(0)) + change

    @rule(offset=consumes(approved))
    def repeat_an_end(self, offset: int) -> None:
        if self.open and offset >= min(self.open):
            return
        self.put("orders", a_rejection("decisions/0/0/0", offset))

    @rule()
    def restart(self) -> None:
        self.parts.update(self.desk.snapshot())
        self.desk = Desk()
        self.desk.restore([part for part in self.parts.items() if part[1]])

    def worst(self) -> dict[tuple[str, str], Decimal]:
        """The largest position that any subset of the open orders can lead to."""
        keys = {*self.positions, *((o.strategy, o.instrument) for o in self.open.values())}
        return {key: self.worst_of(key) for key in keys}

    def worst_of(self, key: tuple[str, str]) -> Decimal:
        mine = [o for o in self.open.values() if (o.strategy, o.instrument) == key]
        position = self.positions.get(key, Decimal(0))
        bought = sum((o.quantity for o in mine if o.side == "buy"), position)
        sold = position - sum(o.quantity for o in mine if o.side == "sell")
        return max(abs(bought), abs(sold))

    def check(self, outcome: IntentApproved, before: dict[tuple[str, str], Decimal]) -> None:
        assert not self.halted
        key = (outcome.strategy, outcome.instrument)
        after = self.worst()
        assert outcome.quantity * PRICES[outcome.instrument] <= self.limits.notional
        if after[key] > before.get(key, Decimal(0)):
            assert after[key] <= self.limits.position
            exposure = sum(size * PRICES[k[1]] for k, size in after.items())
            assert exposure <= self.limits.exposure


def a_rejected(intent: IntentApproved, offset: int) -> Any:
    """The order of an intent whose prices went."""
    bare = msgspec.structs.replace(intent, bid=None, ask=None, last=None)
    return simulated_order(bare, partition=0, offset=offset)


Interleavings.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestInterleavings = Interleavings.TestCase
