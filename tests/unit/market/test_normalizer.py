"""From raw events to ticks."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hadron.audit.facts import RecordPoisoned
from hadron.errors import ImpossibleTransition
from hadron.market.facts import QuoteChanged, TradePrinted
from hadron.market.normalizer import Normalizer
from tests.laws import Event, outputs, outputs_restored
from tests.support import T0_NS, a_position, a_raw, a_slice, a_strategy, a_trade, some_rules
from tests.unit.market.plain import a_raw_quote, a_raw_trade, parse

RAW = "raw.massive"
MS = 1_000_000


def a_normalizer() -> Normalizer:
    return Normalizer({"massive": parse})


def test_a_trade_keeps_what_the_venue_said_and_names_its_raw_record() -> None:
    raw = a_raw_trade(parsed={"sequence": 7, "conditions": (12,)})

    [tick] = a_normalizer().step(a_slice(RAW, raw, partition=3, first=41))

    assert tick == a_trade("100.00", raw_partition=3, raw_offset=41, sequence=7, conditions=(12,))


def test_a_quote_with_one_side_keeps_the_other_empty() -> None:
    raw = a_raw_quote(parsed={"ask": 0, "ask_size": 0})

    [tick] = a_normalizer().step(a_slice(RAW, raw))

    assert isinstance(tick, QuoteChanged)
    assert (tick.bid, tick.ask, tick.ask_size) == (9_999, 0, 0)


def test_a_venue_that_gives_no_time_is_taken_at_its_receipt() -> None:
    raw = a_raw_trade(parsed={"at_ns": 0}, seen_ns=T0_NS + 5)

    [tick] = a_normalizer().step(a_slice(RAW, raw))

    assert tick.at_ns == T0_NS + 5


def test_an_event_that_is_no_tick_gives_nothing_and_closes_no_gap() -> None:
    raws = [a_raw_trade(), a_raw(b"", connection=2), a_raw_trade(connection=2)]

    ticks = a_normalizer().step(a_slice(RAW, *raws))

    assert [tick.quality for tick in ticks] == ["live", "gap"]


def test_poison_is_kept_with_its_bytes_and_its_place() -> None:
    raw = a_raw(b"?!")

    [dead, tick] = a_normalizer().step(a_slice(RAW, raw, a_raw_trade(), partition=1, first=8))

    assert dead == RecordPoisoned(
        source=RAW,
        partition=1,
        offset=8,
        index=0,
        process="normalize",
        error="neither T nor Q: b'?!'",
        seen_ns=raw.seen_ns,
        key=b"eq:AAPL",
        value=b"?!",
    )
    assert isinstance(tick, TradePrinted)


def test_a_position_makes_the_next_tick_fast_until_it_is_closed() -> None:
    fold = a_normalizer()
    events: list[Event] = [
        ("control", some_rules()),
        (RAW, a_raw_trade()),
        ("positions", a_position("-5")),
        (RAW, a_raw_trade()),
        ("positions", a_position("3", strategy="other")),
        ("positions", a_position("0")),
        (RAW, a_raw_trade()),
        ("positions", a_position("0", strategy="other")),
        (RAW, a_raw_trade()),
    ]

    ticks = outputs(fold, events)

    fast = ("fast", "open_position")
    calm = ("warm", "default")
    assert [(tick.lane, tick.reason) for tick in ticks] == [calm, fast, fast, calm]


def test_a_move_makes_trades_and_quotes_fast_until_the_window_has_passed() -> None:
    rules = some_rules(volatile_bps=50, volatile_window_ms=10, cold=["eq:AAPL"])
    raws = [
        a_raw_trade(10_000),
        a_raw_trade(10_050),
        a_raw_quote(parsed={"at_ns": T0_NS + 9 * MS}),
        a_raw_quote(parsed={"at_ns": T0_NS + 10 * MS}),
    ]

    ticks = outputs(a_normalizer(), [("control", rules), *((RAW, raw) for raw in raws)])

    assert [tick.reason for tick in ticks] == ["listed", "volatile", "volatile", "listed"]
    assert [tick.lane for tick in ticks] == ["cold", "fast", "fast", "cold"]


def test_a_suspect_price_is_no_move() -> None:
    rules = some_rules(volatile_bps=50, volatile_window_ms=10)
    suspect = a_raw_trade(99_999, parsed={"suspect": True})

    ticks = outputs(a_normalizer(), [("control", rules), (RAW, a_raw_trade()), (RAW, suspect)])

    assert [(t.quality, t.reason) for t in ticks] == [("live", "default"), ("suspect", "default")]


def test_rules_that_cannot_be_followed_are_dead_letters_and_the_old_ones_stay() -> None:
    events: list[Event] = [
        ("control", some_rules(default="cold")),
        ("control", some_rules(default="drop")),
        ("control", a_strategy()),
        (RAW, a_raw_trade()),
    ]

    dead, tick = outputs(a_normalizer(), events)

    assert (dead.source, dead.offset, dead.error) == (
        "control",
        1,
        "rules: default is 'drop'; wanted one of ('fast', 'warm', 'cold')",
    )
    assert tick.lane == "cold"


@pytest.mark.parametrize("topic", ["raw.nowhere", "ticks.fast"])
def test_a_topic_it_does_not_read_stops_it(topic: str) -> None:
    with pytest.raises(ImpossibleTransition, match=topic):
        a_normalizer().step(a_slice(topic, a_raw()))


def test_a_snapshot_holds_only_what_changed_since_the_last() -> None:
    fold = a_normalizer()
    outputs(fold, [("control", some_rules()), ("positions", a_position()), (RAW, a_raw_trade())])

    whole = [name for name, _ in fold.snapshot()]
    fold.step(a_slice("positions", a_position("0")))
    changed = dict(fold.snapshot())

    assert whole == ["listing/massive/eq:AAPL", "held/eq:AAPL", "rules"]
    assert changed == {"held/eq:AAPL": b""}
    assert fold.snapshot() == []


INSTRUMENTS = ("eq:A", "eq:B")
instruments = st.sampled_from(INSTRUMENTS)
parsed = st.fixed_dictionaries(
    {
        "at_ns": st.integers(0, 40).map(lambda ms: ms and T0_NS + ms * MS),
        "sequence": st.integers(0, 5),
        "price_scale": st.integers(1, 3),
        "suspect": st.booleans(),
    }
)
raw = st.fixed_dictionaries(
    {
        "instrument": instruments,
        "connection": st.integers(1, 2),
        "seen_ns": st.integers(0, 40).map(lambda ms: T0_NS + ms * MS),
    }
)
trades = st.builds(
    lambda price, parsed, raw: (RAW, a_raw_trade(price, parsed=parsed, **raw)),
    st.integers(9_900, 10_100),
    parsed,
    raw,
)
quotes = st.builds(
    lambda bid, parsed, raw: (RAW, a_raw_quote(bid, parsed=parsed, **raw)),
    st.integers(9_900, 10_100),
    parsed,
    raw,
)
others = raw.map(lambda raw: (RAW, a_raw(b"", **raw)))
poison = raw.map(lambda raw: (RAW, a_raw(b"?", **raw)))
positions = st.builds(
    lambda quantity, instrument: ("positions", a_position(quantity, instrument=instrument)),
    st.sampled_from(["0", "7"]),
    instruments,
)
rules = st.builds(
    lambda bps, stale, cold: (
        "control",
        some_rules(volatile_bps=bps, volatile_window_ms=9, stale_after_ms=stale, cold=cold),
    ),
    st.sampled_from([0, 50]),
    st.sampled_from([0, 5]),
    st.sampled_from([[], ["eq:A"]]),
)
facts = st.lists(
    st.one_of(trades, trades, quotes, others, poison, positions, rules), min_size=6, max_size=30
).map(lambda events: [("control", some_rules(volatile_bps=50, volatile_window_ms=9)), *events])
# Anywhere, or before every first, second or third fact.
places = st.one_of(
    st.sets(st.integers(0, 31)),
    st.integers(1, 3).map(lambda every: set(range(0, 31, every))),
)


@given(facts, places)
def test_other_slices_give_the_same_ticks(events: list[Event], cuts: set[int]) -> None:
    assert outputs(a_normalizer(), events, cuts=cuts) == outputs(a_normalizer(), events)


@given(facts, places)
def test_a_restored_fold_gives_the_same_ticks(events: list[Event], restores: set[int]) -> None:
    restored = outputs_restored(a_normalizer, events, restores=restores)

    assert restored == outputs(a_normalizer(), events)


@given(facts)
def test_instruments_do_not_influence_each_other(events: list[Event]) -> None:
    alone = [event for event in events if getattr(event[1], "instrument", "eq:A") == "eq:A"]

    together = outputs(a_normalizer(), events)

    assert without_place(together) == without_place(outputs(a_normalizer(), alone))


def without_place(facts: list[Any]) -> list[Any]:
    """The ticks of eq:A but for their offsets, which depend on the facts between them."""
    return [
        {name: getattr(tick, name) for name in tick.__struct_fields__ if name != "raw_offset"}
        for tick in facts
        if getattr(tick, "instrument", None) == "eq:A"
    ]
