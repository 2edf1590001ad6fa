"""Strategies over ticks."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from hadron.audit.facts import AlertCleared, AlertRaised, RecordPoisoned
from hadron.errors import ContractError, ImpossibleTransition
from hadron.market.facts import PriceMarked
from hadron.strategy.engine import Engine
from hadron.strategy.facts import DecisionMade
from hadron.strategy.registry import KINDS
from tests.laws import Event, outputs
from tests.support import (
    T0_NS,
    a_decision,
    a_position,
    a_quote,
    a_slice,
    a_strategy,
    a_trade,
    some_rules,
)
from tests.unit.strategy.plain import TEST_KINDS

WARM = "ticks.warm"
S = 1_000_000_000


def an_engine(*kinds: str) -> Engine:
    """An engine with these kinds of strategy on."""
    engine = Engine(TEST_KINDS)
    engine.step(a_slice("control", *(a_strategy(kind) for kind in kinds)))
    return engine


def quantities(facts: list[Any]) -> list[int]:
    return [int(fact.quantity) for fact in facts]


def test_a_decision_names_its_tick_and_the_prices_known_then() -> None:
    engine = an_engine("SimpleSMA")
    engine.step(a_slice(WARM, a_quote(raw_offset=1)))
    prices = ("100", "100", "100", "100", "101")
    trades = [a_trade(price, raw_offset=2 + n, raw_partition=5) for n, price in enumerate(prices)]

    [decision] = engine.step(a_slice("ticks.fast", *trades, partition=5, first=40))

    assert decision == a_decision(
        source="ticks.fast",
        partition=5,
        offset=44,
        raw_partition=5,
        raw_offset=6,
        strategy="SimpleSMA",
        version=decision.version,
        confidence=Decimal("1.0000"),
        last=Decimal(101),
        evidence={"price": "101", "sma": "100.2", "distance_bps": "79.84"},
        metadata={"window": "5", "threshold_bps": "1"},
    )


def test_what_was_never_seen_is_none_and_not_zero() -> None:
    engine = an_engine("Buyer")
    quote = a_quote(ask=0, ask_size=0)

    [decision] = engine.step(a_slice(WARM, quote))

    assert (decision.bid, decision.ask, decision.last) == (Decimal("99.99"), None, None)


def test_each_side_keeps_its_last_price() -> None:
    engine = an_engine("Buyer")
    quotes = [a_quote(raw_offset=0), a_quote(bid=0, ask=10_005, raw_offset=1)]

    [*_, decision] = engine.step(a_slice(WARM, *quotes))

    assert (decision.bid, decision.ask) == (Decimal("99.99"), Decimal("100.05"))


def test_suspect_and_late_ticks_are_not_shown_and_set_no_price() -> None:
    engine = an_engine("Buyer", "Brave")
    ticks = [
        a_trade("99", raw_offset=0, quality="suspect"),
        a_quote(raw_offset=1, quality="late"),
        a_trade("100", raw_offset=2, quality="gap"),
    ]

    decisions = engine.step(a_slice(WARM, *ticks))

    assert [(d.offset, d.strategy, d.quality) for d in decisions] == [
        (0, "Brave", "suspect"),
        (1, "Brave", "late"),
        (2, "Brave", "gap"),
        (2, "Buyer", "gap"),
    ]
    assert {(d.bid, d.last) for d in decisions[:2]} == {(None, None)}
    assert decisions[3].last == Decimal(100)


def test_a_tick_that_came_after_a_later_one_is_counted_and_not_shown() -> None:
    engine = an_engine("Buyer")
    engine.step(a_slice("ticks.fast", a_trade(raw_offset=9)))

    facts = engine.step(a_slice(WARM, a_trade(raw_offset=8), a_trade(raw_offset=9)))
    other_venue = engine.step(a_slice(WARM, a_trade(raw_offset=0, venue="coinbase")))

    assert facts == []
    assert engine.superseded == 2
    assert quantities(other_venue) == [2]


def test_strategies_decide_alone_and_in_the_order_of_their_names() -> None:
    engine = Engine(TEST_KINDS)
    engine.step(
        a_slice(
            "control",
            a_strategy("Buyer", name="zoe", portfolio="p2"),
            a_strategy("Buyer", name="abe", instruments=["eq:AAPL"]),
        )
    )

    facts = engine.step(a_slice(WARM, a_trade(), a_trade(instrument="eq:MSFT")))

    assert [(f.strategy, f.portfolio, f.instrument, f.index, int(f.quantity)) for f in facts] == [
        ("abe", "main", "eq:AAPL", 0, 1),
        ("zoe", "p2", "eq:AAPL", 1, 1),
        ("zoe", "p2", "eq:MSFT", 0, 1),
    ]


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        (a_strategy("Buyer", version=2, author="bob"), [1, 2, 3]),  # nothing that it decides by
        (a_strategy("Buyer", enabled=False), [1, 2]),
        (a_strategy("Buyer", instruments=["eq:MSFT"]), [1, 2]),
        (a_strategy("Buyer", parameters={"no": "such"}), [1, 2, 3]),  # refused
        (a_strategy("SimpleSMA", name="Buyer"), [1, 2]),
    ],
)
def test_a_change_takes_effect_at_its_place(change: Any, wanted: list[int]) -> None:
    engine = an_engine("Buyer")
    events: list[Event] = [
        (WARM, a_trade(raw_offset=0)),
        (WARM, a_trade(raw_offset=1)),
        ("control", change),
        (WARM, a_trade(raw_offset=2)),
    ]

    facts = outputs(engine, events)

    assert quantities([fact for fact in facts if type(fact) is DecisionMade]) == wanted


def test_a_strategy_switched_on_again_begins_anew() -> None:
    engine = an_engine("Buyer")
    events: list[Event] = [
        (WARM, a_trade(raw_offset=0)),
        ("control", a_strategy("Buyer", enabled=False)),
        ("control", a_strategy("Buyer")),
        (WARM, a_trade(raw_offset=1)),
    ]

    assert quantities(outputs(engine, events)) == [1, 1]


def test_a_wrong_configuration_is_a_dead_letter() -> None:
    wrong = a_strategy("Magic")

    [dead] = Engine().step(a_slice("control", some_rules(), wrong, partition=2, first=7))

    assert (dead.source, dead.partition, dead.offset) == ("control", 2, 8)
    assert "kind is 'Magic'" in dead.error


@pytest.mark.parametrize(
    ("kind", "problem"),
    [
        ("Broken", "ZeroDivisionError: no more"),
        ("Liar", "TypeError: it returned str; wanted Signal or None"),
    ],
)
def test_a_strategy_that_raises_is_quarantined_on_that_instrument_alone(
    kind: str, problem: str
) -> None:
    engine = an_engine(kind, "Buyer")
    trades = [a_trade("100.01", raw_offset=n) for n in range(2)]

    facts = engine.step(a_slice(WARM, *trades))
    elsewhere = engine.step(a_slice(WARM, a_trade("100.01", instrument="eq:MSFT")))

    decision, dead, alert, later = facts
    assert quantities([decision, later]) == [1, 2]
    assert (decision.index, dead.index, alert.index) == (0, 1, 2)
    assert isinstance(dead, RecordPoisoned)
    assert isinstance(alert, AlertRaised)
    assert (alert.severity, alert.subject) == ("warning", f"strategy/{kind}")
    assert "quarantined on eq:AAPL" in alert.text
    assert dead.process == f"engine/{kind}"
    assert problem in dead.error
    assert "quarantined on eq:AAPL" in dead.error
    assert [type(fact) for fact in elsewhere] == [DecisionMade, RecordPoisoned, AlertRaised]


def test_a_quarantine_ends_when_the_strategy_is_configured_again() -> None:
    engine = an_engine("Broken")
    engine.step(a_slice(WARM, a_trade("100.01", raw_offset=0)))

    silent = engine.step(a_slice(WARM, a_trade("99.00", raw_offset=1)))
    [cleared] = engine.step(a_slice("control", a_strategy("Broken")))
    facts = engine.step(a_slice(WARM, a_trade("99.00", raw_offset=2)))

    assert silent == []
    assert isinstance(cleared, AlertCleared)
    assert (cleared.subject, cleared.source, cleared.index) == ("strategy/Broken", "control", 0)
    assert [fact.strategy for fact in facts] == ["Broken"]


def test_what_is_held_is_marked_once_a_second_after_the_decisions() -> None:
    engine = an_engine("Buyer")
    engine.step(a_slice("positions", a_position()))
    times = (0, S - 1, S, S + 1)
    trades = [a_trade("100.50", raw_offset=n, at_ns=T0_NS + at) for n, at in enumerate(times)]

    facts = engine.step(a_slice(WARM, *trades, partition=1, first=5))

    marks = [fact for fact in facts if type(fact) is PriceMarked]
    assert [(mark.offset, mark.index, mark.at_ns - T0_NS) for mark in marks] == [
        (5, 1, 0),
        (7, 1, S),
    ]
    assert (marks[0].bid, marks[0].ask, marks[0].last) == (None, None, Decimal("100.50"))


@pytest.mark.parametrize(
    "tick",
    [
        a_trade(quality="suspect"),
        a_trade(quality="late"),
        a_quote(bid=0, ask=0),  # no price at all
        a_trade(instrument="eq:MSFT"),  # not held
    ],
)
def test_no_mark_is_made_up(tick: Any) -> None:
    engine = Engine()
    engine.step(a_slice("positions", a_position()))

    assert engine.step(a_slice(WARM, tick)) == []


def test_a_closed_position_is_marked_no_more() -> None:
    events: list[Event] = [
        ("positions", a_position()),
        (WARM, a_trade(raw_offset=0)),
        ("positions", a_position("0")),
        (WARM, a_trade(raw_offset=1, at_ns=T0_NS + 2 * S)),
    ]

    assert len(outputs(Engine(), events)) == 1


def test_a_snapshot_holds_only_what_changed_since_the_last() -> None:
    engine = an_engine("Buyer")
    engine.step(a_slice(WARM, a_trade(), a_trade(instrument="eq:MSFT")))

    whole = [name for name, _ in engine.snapshot()]
    engine.step(a_slice(WARM, a_trade(raw_offset=1)))

    assert whole == ["watch/eq:AAPL", "watch/eq:MSFT", "control"]
    assert [name for name, _ in engine.snapshot()] == ["watch/eq:AAPL"]
    assert engine.snapshot() == []


def test_a_state_of_another_version_begins_anew() -> None:
    engine = an_engine("Buyer")
    engine.step(a_slice(WARM, a_trade()))
    parts = engine.snapshot()
    newer = type("Buyer", (TEST_KINDS["Buyer"],), {"version": "2"})

    restored = Engine({**KINDS, "Buyer": newer})
    restored.restore(parts)

    assert quantities(restored.step(a_slice(WARM, a_trade(raw_offset=1)))) == [1]


def test_a_snapshot_of_unknown_strategies_is_not_restored() -> None:
    parts = an_engine("Buyer").snapshot()

    with pytest.raises(ContractError, match="kind is 'Buyer'"):
        Engine().restore(parts)


def test_a_topic_it_does_not_read_stops_it() -> None:
    with pytest.raises(ImpossibleTransition, match=r"raw\.massive"):
        Engine().step(a_slice("raw.massive"))
