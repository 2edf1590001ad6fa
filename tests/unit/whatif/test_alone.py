"""One strategy of live's engine, alone: it decides what it decides among others."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import msgspec

from hadron.control.facts import StrategyConfigured
from hadron.fold import Fold, Slice
from hadron.market.facts import TradePrinted
from hadron.strategy.engine import Engine
from hadron.strategy.facts import DecisionMade
from hadron.values import number
from hadron.whatif.alone import Alone
from tests.support import a_position, a_slice, a_strategy, a_trade

INSTRUMENTS = ("eq:AAPL", "eq:SPY")


def trades(count: int, *, first: int = 0) -> list[TradePrinted]:
    chance = random.Random(first)
    return [
        a_trade(
            f"{chance.randint(9900, 10100) / 100:.2f}",
            instrument=INSTRUMENTS[number % 2],
            raw_offset=number,
            at_ns=1_700_000_000_000_000_000 + number * 10**8,
        )
        for number in range(first, first + count)
    ]


def a_log() -> list[Slice]:
    """Two strategies that decide on the same ticks, and one that is changed on the way."""
    sma, cross = a_strategy(), a_strategy("SMACross", parameters={"fast": "1", "slow": "2"})
    changed = msgspec.structs.replace(sma, enabled=False, version=2)
    return [
        a_slice("control", cross, sma),
        a_slice("ticks.warm", *trades(100), first=0),
        a_slice("positions", a_position(instrument="eq:SPY")),
        a_slice("ticks.warm", *trades(100, first=100), first=100),
        a_slice("control", changed, first=2),
        a_slice("ticks.warm", *trades(50, first=200), first=200),
        a_slice("control", sma, first=3),
        a_slice("ticks.warm", *trades(100, first=250), first=250),
    ]


def decided(fold: Fold, slices: Sequence[Slice], name: str = "SimpleSMA") -> list[dict[str, Any]]:
    """What a strategy decided, but for how many decided before it on the tick."""
    facts = [fact for slice in slices for fact in fold.step(slice)]
    made = [fact for fact in facts if isinstance(fact, DecisionMade) and fact.strategy == name]
    return [msgspec.structs.asdict(msgspec.structs.replace(one, index=0)) for one in made]


def test_alone_it_decides_what_it_decides_among_others() -> None:
    live, alone = decided(Engine(), a_log()), decided(Alone(a_strategy()), a_log())

    assert alone == live
    assert len(live) > 20


def test_others_are_silent() -> None:
    alone = Alone(a_strategy())

    assert decided(alone, a_log(), "SMACross") == []


def test_from_a_snapshot_of_live_it_goes_on_as_live_does() -> None:
    for cut in range(1, len(a_log())):
        live, alone = Engine(), Alone(a_strategy())
        decided(live, a_log()[:cut])

        alone.restore(live.snapshot())

        assert decided(alone, a_log()[cut:]) == decided(live, a_log()[cut:])


def test_kind_and_parameters_stay_what_is_tried_whatever_live_does() -> None:
    tried = a_strategy(parameters={"threshold_bps": "30"})
    live = Engine()
    decided(live, a_log()[:2])
    alone = Alone(tried)
    alone.restore(live.snapshot())

    made = decided(alone, a_log()[2:])

    assert {one["metadata"]["threshold_bps"] for one in made} == {"30"}
    fresh = Alone(tried)
    fresh.step(a_slice("control", a_strategy()))
    assert decided(fresh, a_log()[2:]) == made  # live's state is of another edition


def test_switched_off_by_live_it_is_off() -> None:
    alone = Alone(a_strategy())
    decided(alone, a_log()[:4])

    assert decided(alone, a_log()[4:6]) == []


def test_prices_are_those_that_strategies_see() -> None:
    alone = Alone(a_strategy())
    decided(alone, a_log())

    book = alone.prices("eq:AAPL")

    assert book is not None
    last = trades(100, first=250)[-2]
    assert book.last == number(last.price, last.price_scale)
    assert alone.prices("eq:nothing") is None


def test_a_fact_of_another_strategy_is_not_mistaken() -> None:
    other: StrategyConfigured = a_strategy(name="other")
    alone = Alone(a_strategy())

    assert alone.step(a_slice("control", other)) == []
    assert decided(alone, a_log()[1:2]) == []
