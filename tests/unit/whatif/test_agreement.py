"""Which decisions of a shadow are live's, which are not, and what both come to."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from hadron.market.facts import PriceMarked
from hadron.strategy.facts import DecisionMade
from hadron.whatif.agreement import KEPT, Agreement
from hadron.whatif.worth import Profit
from tests.support import a_decision, a_slice, a_trade
from tests.unit.desk.facts import a_halt, a_mark, some_limits


def an_agreement() -> Agreement:
    made = Agreement("sma")
    made.learn(some_limits())
    return made


def at(offset: int, **changes: Any) -> DecisionMade:
    """A decision on the tick at that offset of ticks.warm/0."""
    return a_decision(**{"offset": offset, "side": "buy" if offset % 2 else "sell", **changes})


def step(agreement: Agreement, entry: int, ticks: range, *facts: Any, partition: int = 0) -> None:
    """The shadow steps an entry of some ticks, from which these facts follow."""
    slice = a_slice("ticks.warm", *[a_trade()] * len(ticks), first=ticks.start)
    agreement.heard(partition, entry, [(slice, facts)])


def prices(last: str) -> dict[str, PriceMarked]:
    return {"eq:AAPL": a_mark(last)}


def test_equal_decisions_are_equal_whoever_comes_first() -> None:
    agreement = an_agreement()
    agreement.said(at(1, index=1))  # another strategy decided before it, live
    step(agreement, 0, range(10), at(1), at(4))
    agreement.said(at(4, version="another"))

    agreement.settle(0, 1)

    counts = agreement.counts
    assert (counts.live, counts.shadow, counts.equal, counts.agree) == (2, 2, 2, True)
    assert agreement.versions == {"1": 1, "another": 1}
    assert agreement.live.profit(prices("105")) == agreement.shadow.profit(prices("105"))


def test_nothing_is_compared_before_live_has_said_all() -> None:
    agreement = an_agreement()
    step(agreement, 0, range(10), at(1))
    step(agreement, 1, range(10, 20), at(11))

    agreement.settle(0, 1)

    assert (agreement.counts.only_shadow, agreement.waiting) == (1, 1)


def test_what_one_side_says_alone_and_what_differs_is_named() -> None:
    agreement = an_agreement()
    step(agreement, 0, range(10), at(1), at(3, quantity=Decimal(7)))
    agreement.said(at(3))
    agreement.said(at(5))

    agreement.settle(0, 1)

    counts = agreement.counts
    assert (counts.only_shadow, counts.differing, counts.only_live) == (1, 1, 1)
    assert not counts.agree
    assert [(one.tick, one.fields) for one in agreement.differing] == [
        ("ticks.warm/0/1", []),
        ("ticks.warm/0/3", ["quantity"]),
        ("ticks.warm/0/5", []),
    ]
    assert [(one.live is None, one.shadow is None) for one in agreement.differing] == [
        (True, False),
        (False, False),
        (False, True),
    ]
    assert agreement.fields == {"quantity": 1}


def test_decisions_before_the_shadow_began_and_of_other_strategies_do_not_count() -> None:
    agreement = an_agreement()
    agreement.said(at(3))
    agreement.said(at(12, strategy="other"))
    step(agreement, 7, range(10, 20))

    agreement.settle(0, 8)

    assert agreement.counts.live == 0


def test_a_decision_that_live_has_of_a_tick_it_was_past_is_told() -> None:
    agreement = an_agreement()
    step(agreement, 0, range(10))
    agreement.settle(0, 1)
    agreement.said(at(3))
    step(agreement, 1, range(10, 20))

    agreement.settle(0, 2)

    assert agreement.counts.only_live == 1


def test_both_sides_are_filled_at_the_touch_and_marked_alike() -> None:
    agreement = an_agreement()
    step(agreement, 0, range(10), at(1, quantity=Decimal(10)), at(2, quantity=Decimal(4)))
    agreement.said(at(1, quantity=Decimal(100)))

    agreement.settle(0, 1)

    # live bought 100 at 100.01; the shadow bought 10 there and sold 4 at 99.99
    assert agreement.live.profit(prices("101")) == Profit(Decimal(0), Decimal("99.00"))
    shadow = agreement.shadow.profit(prices("101"))
    assert shadow == Profit(Decimal("-0.08"), Decimal("5.94"))
    assert (agreement.live.filled, agreement.shadow.filled) == (1, 2)


def test_limits_and_the_halt_hold_for_both_where_live_was_told() -> None:
    def traded(*control: Any) -> tuple[int, int]:
        agreement = an_agreement()
        agreement.heard(0, 0, [(a_slice("control", *control), ())])
        step(agreement, 1, range(10), at(1))
        agreement.said(at(1))
        agreement.settle(0, 2)
        return agreement.live.filled, agreement.shadow.filled

    assert traded(a_trade()) == (1, 1)
    assert traded(some_limits(notional=1, version=2)) == (0, 0)
    assert traded(a_halt()) == (0, 0)
    assert traded(some_limits(notional=1, version=1)) == (1, 1)  # older than what is known


def test_partitions_are_settled_alone() -> None:
    agreement = an_agreement()
    step(agreement, 0, range(10), at(1))
    step(agreement, 0, range(10), at(1, partition=1), partition=1)
    agreement.said(at(1))
    agreement.said(at(1, partition=1))

    agreement.settle(1, 1)

    assert (agreement.counts.equal, agreement.waiting) == (1, 1)


def test_of_very_many_differences_all_are_counted_and_some_are_kept() -> None:
    agreement = an_agreement()
    facts: Sequence[DecisionMade] = [at(offset) for offset in range(KEPT + 5)]
    step(agreement, 0, range(KEPT + 5), *facts)

    agreement.settle(0, 1)

    assert (agreement.counts.only_shadow, len(agreement.differing)) == (KEPT + 5, KEPT)
