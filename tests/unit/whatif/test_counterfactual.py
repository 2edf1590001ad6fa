"""What other limits would have stopped, and what would have come of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from hadron.control.facts import LimitsChanged
from hadron.desk.desk import Desk
from hadron.desk.facts import IntentApproved
from hadron.orders.fills import simulated_order
from hadron.strategy.facts import DecisionMade
from hadron.whatif.counterfactual import Counterfactual
from hadron.whatif.worth import Profit
from tests.support import a_decision, a_slice
from tests.unit.desk.facts import a_mark, some_limits


class Live:
    """Live's desk and gateway in one, and beside it what would have been."""

    def __init__(self, limits: Mapping[str, LimitsChanged]) -> None:
        self.desk = Desk()
        self.sides = Counterfactual(self.desk, limits)
        self.step("control", some_limits(position=1000))
        self._made = 0

    def step(self, topic: str, *facts: Any, first: int = 0) -> Sequence[Any]:
        slice = a_slice(topic, *facts, first=first)
        said = self.desk.step(slice)
        self.sides.take(slice, said)
        return said

    def decide(self, **changes: Any) -> None:
        """One decision, its intent and, where it is approved, its order."""
        place = self._made
        self._made += 1
        [said] = self.step("decisions", a_decision(offset=place, **changes), first=place)
        self.step("intents", said, first=place)
        if isinstance(said, IntentApproved):
            order = simulated_order(said, partition=0, offset=place)
            self.step("orders", order, first=place)


def only(**limits: int) -> dict[str, LimitsChanged]:
    return {"main": some_limits(**{"position": 1000, **limits})}


def a_day(live: Live) -> None:
    live.decide()  # 100 at 100.01
    live.decide(quantity=Decimal(300))
    live.decide(side="sell", quantity=Decimal(200), bid=Decimal(110), ask=Decimal(111))


def test_with_the_limits_that_were_in_force_nothing_changes() -> None:
    for limits in ({}, only()):
        live = Live(limits)
        live.sides.begin()

        a_day(live)

        assert live.sides.changed == []
        assert (live.sides.counts.judged, live.sides.counts.equal) == (3, 3)
        [effect] = live.sides.effects()
        assert effect.live == effect.counterfactual != Profit()


def test_an_order_that_is_stopped_names_its_limit_and_never_fills() -> None:
    live = Live(only(notional=20_000))
    live.sides.begin()

    a_day(live)

    # 300 at 100.01 and 200 at 110 are over
    stopped = live.sides.changed
    assert [one.order for one in stopped] == ["decisions/0/1/0", "decisions/0/2/0"]
    assert all(one.live.approved and not one.counterfactual.approved for one in stopped)
    assert stopped[0].counterfactual.reason == "notional: 30003 is over 20000"
    assert stopped[0].live.limits["notional"] == "30003 of 50000"
    [effect] = live.sides.effects()
    # live sold 200 of 400; then the 100 of the first order are held; both marked at the bid of 110
    assert effect.live == Profit(200 * Decimal("9.99"), 200 * Decimal("9.99"))
    assert effect.counterfactual == Profit(Decimal(0), 100 * Decimal("9.99"))


def test_what_follows_from_a_stopped_order_follows() -> None:
    # the second buy is over the position; so the sell, which live had to close with, opens less
    live = Live(only(position=150))
    live.sides.begin()

    live.decide()
    live.decide()
    live.decide(side="sell", quantity=Decimal(200))

    assert [one.order for one in live.sides.changed] == ["decisions/0/1/0"]
    assert live.sides.changed[0].counterfactual.reason == "position: 100+100 is over 150"
    [held] = live.sides._other_worth.held()
    assert held.quantity == -100


def test_room_that_a_stopped_order_leaves_is_anothers() -> None:
    # live's exposure was full after the big one, which a smaller notional stops
    live = Live({"main": some_limits(position=10_000, notional=20_000, exposure=100_000)})
    live.step("control", some_limits(position=10_000, notional=90_000, version=2))
    live.sides.begin()

    live.decide(quantity=Decimal(850))
    live.decide(quantity=Decimal(180))

    first, second = live.sides.changed
    assert first.live.approved
    assert first.counterfactual.reason == "notional: 85008.5 is over 20000"
    assert second.live.reason == "exposure: 85008.5+18001.8 is over 100000"
    assert second.counterfactual.approved
    assert (live.sides.counts.stopped, live.sides.counts.allowed) == (1, 1)
    [held] = live.sides._other_worth.held()
    assert (held.quantity, held.average_price) == (Decimal(180), Decimal("100.01"))


def test_before_its_beginning_both_sides_are_one() -> None:
    live = Live(only(notional=1))
    live.decide()
    live.sides.begin()

    live.step("marks", a_mark("103", at_ns=a_decision().at_ns + 1))
    live.step("control", some_limits(notional=2, version=3))  # of live only
    live.decide(quantity=Decimal(10))

    assert live.sides.counts.judged == 1
    [effect] = live.sides.effects()
    # what was held before is held on both sides, and valued from what it was worth then
    assert effect.live == effect.counterfactual == Profit(Decimal(0), 299 - Decimal("-2.00"))


def test_other_limits_outlive_changes_of_the_day() -> None:
    live = Live(only(notional=20_000))
    live.sides.begin()
    live.step("control", some_limits(position=1000, notional=90_000, version=2))

    live.decide(quantity=Decimal(300))

    assert live.sides.counts.stopped == 1


def test_a_portfolio_that_the_file_does_not_name_keeps_its_own() -> None:
    live = Live({"other": msgspec.structs.replace(some_limits(notional=1), portfolio="other")})
    live.sides.begin()

    a_day(live)

    assert live.sides.counts.equal == 3


def test_a_decision_made_twice_is_dismissed_on_both_sides() -> None:
    live = Live(only(notional=1))
    live.sides.begin()
    twice: DecisionMade = a_decision()

    live.step("decisions", twice, twice)

    assert (live.sides.counts.judged, live.sides.counts.stopped) == (2, 1)
