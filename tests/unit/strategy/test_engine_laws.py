"""What must not change what the engine says: slices, snapshots, other instruments."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hadron.fold import Slice
from hadron.strategy.engine import Engine
from tests.laws import Event, outputs, outputs_restored, placed
from tests.support import T0_NS, a_position, a_quote, a_strategy
from tests.unit.strategy.plain import TEST_KINDS, a_trade_at

MS = 1_000_000
INSTRUMENTS = ("eq:A", "eq:B")

instruments = st.sampled_from(INSTRUMENTS)
places_of_ticks = st.fixed_dictionaries(
    {
        "instrument": instruments,
        "venue": st.sampled_from(["massive", "massive", "coinbase"]),
        "raw_offset": st.integers(0, 60),
        "at_ns": st.integers(0, 3000).map(lambda ms: T0_NS + ms * MS),
        "quality": st.sampled_from(["live", "live", "live", "gap", "late", "stale", "suspect"]),
    }
)
lanes = st.sampled_from(["ticks.fast", "ticks.warm"])
trades = st.builds(
    lambda lane, price, scale, place: (lane, a_trade_at(price, scale, **place)),
    lanes,
    st.integers(9_990, 10_010),
    st.sampled_from([2, 2, 2, 3]),
    places_of_ticks,
)
quotes = st.builds(
    lambda lane, bid, ask, place: (lane, a_quote(bid, ask, **place)),
    lanes,
    st.sampled_from([0, 9_999]),
    st.sampled_from([0, 10_001]),
    places_of_ticks,
)
positions = st.builds(
    lambda quantity, instrument: ("positions", a_position(quantity, instrument=instrument)),
    st.sampled_from(["0", "7"]),
    instruments,
)
FAST_CROSSOVER = {"fast": "1", "slow": "2", "threshold_bps": "0"}
configured = st.builds(
    lambda kind, enabled, only: (
        "control",
        a_strategy(
            kind,
            enabled=enabled,
            instruments=only,
            parameters=FAST_CROSSOVER if kind == "Crossover" else {},
        ),
    ),
    st.sampled_from(["SimpleSMA", "Crossover", "SMACross", "Buyer", "Broken", "Magic"]),
    st.sampled_from([True, True, False]),
    st.sampled_from([[], [], ["eq:A"]]),
)
START: list[Event] = [
    ("control", a_strategy("SimpleSMA")),
    ("control", a_strategy("Crossover", parameters=FAST_CROSSOVER)),
    ("control", a_strategy("Broken")),
    ("control", a_strategy("Buyer")),
    ("positions", a_position(instrument="eq:A")),
]
events_after = st.one_of(trades, trades, trades, quotes, positions, configured)
facts = st.lists(events_after, min_size=8, max_size=40).map(
    lambda events: in_raw_order(START + events)
)
# Anywhere, or before every first, second or third fact.
places = st.one_of(
    st.sets(st.integers(0, 45)),
    st.integers(1, 3).map(lambda every: set(range(0, 45, every))),
)


def in_raw_order(events: list[Event]) -> list[Event]:
    """Mostly growing raw offsets, as from one lane; some ticks stay superseded."""
    return [
        (topic, type(fact)(**{**fields(fact), "raw_offset": 2 * place + fact.raw_offset % 5}))
        if topic.startswith("ticks.")
        else (topic, fact)
        for place, (topic, fact) in enumerate(events)
    ]


def fields(fact: Any) -> dict[str, Any]:
    return {name: getattr(fact, name) for name in fact.__struct_fields__}


def an_engine() -> Engine:
    return Engine(TEST_KINDS)


@given(facts, places)
def test_other_slices_give_the_same_facts(events: list[Event], cuts: set[int]) -> None:
    assert outputs(an_engine(), events, cuts=cuts) == outputs(an_engine(), events)


@given(facts, places)
def test_a_restored_engine_gives_the_same_facts(events: list[Event], restores: set[int]) -> None:
    restored = outputs_restored(an_engine, events, restores=restores)

    assert restored == outputs(an_engine(), events)


@given(facts, places)
def test_snapshots_on_the_way_end_in_the_same_bytes(events: list[Event], at: set[int]) -> None:
    whole, often = an_engine(), an_engine()
    parts: dict[str, bytes] = {}

    for place, (topic, record) in enumerate(placed(events)):
        whole.step(Slice(topic, 0, [record]))
        often.step(Slice(topic, 0, [record]))
        if place in at:
            parts.update(often.snapshot())
    parts.update(often.snapshot())

    assert {name: value for name, value in parts.items() if value} == {
        name: value for name, value in whole.snapshot() if value
    }


@given(facts)
def test_instruments_do_not_influence_each_other(events: list[Event]) -> None:
    alone = [event for event in events if getattr(event[1], "instrument", "eq:A") == "eq:A"]

    together = of_a(outputs(an_engine(), events))

    assert together == of_a(outputs(an_engine(), alone))


def of_a(facts: list[Any]) -> list[dict[str, Any]]:
    """What was said of eq:A, but for the offset in the lane, which counts the others' ticks too."""
    said = [fields(fact) for fact in facts if getattr(fact, "instrument", None) == "eq:A"]
    return [{name: value for name, value in one.items() if name != "offset"} for one in said]
