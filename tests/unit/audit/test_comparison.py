"""Decisions of two runs, held against each other."""

from __future__ import annotations

from decimal import Decimal

from hadron.audit.comparison import Change, Identity, compare
from tests.support import a_decision


def test_where_the_tick_lay_makes_no_difference() -> None:
    live = a_decision(source="ticks.fast", partition=0, offset=7, index=1)
    replayed = a_decision(source="ticks.warm", partition=0, offset=3, index=0)

    found = compare([live], [replayed])

    assert found.holds
    assert (found.live, found.replayed, found.equal) == (1, 1, 1)


def test_what_differs_is_named_field_by_field() -> None:
    live = a_decision(side="buy", evidence={"sma": "1.0"})
    replayed = a_decision(side="sell", evidence={"sma": "2.0"})

    found = compare([live], [replayed])

    [different] = found.different
    assert different.decision == Identity("raw.massive", 0, 0, "eq:AAPL", "sma", 0)
    assert different.changes == [
        Change("side", "buy", "sell"),
        Change("evidence", {"sma": "1.0"}, {"sma": "2.0"}),
    ]
    assert (found.equal, found.holds) == (0, False)


def test_the_version_of_a_strategy_is_compared() -> None:
    found = compare([a_decision(version="1-a")], [a_decision(version="1-b")])

    assert [change.field for change in found.different[0].changes] == ["version"]


def test_numbers_are_compared_by_value() -> None:
    found = compare([a_decision(quantity=Decimal("1.50"))], [a_decision(quantity=Decimal("1.5"))])

    assert found.holds


def test_a_decision_of_one_run_only_is_told_in_the_order_of_the_log() -> None:
    early, late = a_decision(raw_offset=2, offset=2), a_decision(raw_offset=10, offset=10)

    found = compare([late, early], [])

    assert [one.raw_offset for one in found.only_live] == [2, 10]
    assert compare([], [early]).only_replayed == found.only_live[:1]
    assert not found.holds


def test_a_missing_decision_leaves_those_of_other_strategies_equal() -> None:
    both = [a_decision(strategy="crossover", index=0), a_decision(strategy="sma", index=1)]

    found = compare(both, [a_decision(strategy="sma", index=0)])

    assert [one.strategy for one in found.only_live] == ["crossover"]
    assert found.equal == 1


def test_a_decision_delivered_twice_counts_once() -> None:
    found = compare([a_decision(), a_decision()], [a_decision()])

    assert (found.live, found.equal, found.holds) == (1, 1, True)


def test_two_decisions_of_a_strategy_from_one_event_are_told_apart_by_their_order() -> None:
    first, second = a_decision(index=0, side="buy"), a_decision(index=1, side="sell")

    found = compare([first, second], [first])

    assert found.equal == 1
    assert [one.ordinal for one in found.only_live] == [1]
