"""Restoring a desk between any two facts, or cutting them elsewhere, changes no outcome."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import groupby
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from hadron.desk.desk import Desk
from hadron.fold import Received, Slice
from tests.support import a_decision, a_fill, a_slice
from tests.unit.desk.facts import a_halt, a_mark, a_resumption, some_limits
from tests.unit.desk.test_desk import a_rejection

Event = tuple[str, Received]


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    """What a shard meets, with offsets of its own for each topic; some of it twice."""
    decided = st.builds(
        lambda side, quantity, offset, instrument: (
            "decisions",
            a_decision(side=side, quantity=Decimal(quantity), offset=offset, instrument=instrument),
        ),
        st.sampled_from(("buy", "sell")),
        st.just(100),
        st.integers(0, 12),
        st.sampled_from(("eq:AAPL", "eq:MSFT")),
    )
    ended = st.builds(
        lambda offset, fill, strategy: (
            "orders",
            a_fill(offset=offset, verdict=f"decisions/9/{offset}/0", strategy=strategy)
            if fill
            else a_rejection(f"decisions/9/{offset}/0", offset),
        ),
        st.integers(0, 8),
        st.booleans(),
        st.sampled_from(("sma", "a/b")),
    )
    told = st.sampled_from(
        [
            ("control", some_limits()),
            ("control", some_limits(position=150, exposure=25_000)),
            ("control", a_halt()),
            ("control", a_resumption()),
            ("marks", a_mark("90")),
            ("marks", a_mark("250", instrument="eq:MSFT")),
            ("marks", a_mark(None)),
        ]
    )
    facts = draw(st.lists(st.one_of(decided, decided, ended, told), max_size=30))
    offsets: dict[str, int] = {}
    events: list[Event] = [("control", Received(0, some_limits()))]
    for topic, fact in facts:
        offsets[topic] = offsets.get(topic, 0) + 1
        events.append((topic, Received(offsets[topic], fact)))
    return events


def in_slices(events: Sequence[Event]) -> Iterator[Slice]:
    """Consecutive events of a topic as one slice."""
    for topic, group in groupby(events, key=lambda event: event[0]):
        yield Slice(topic, 0, [received for _, received in group])


def outcomes(desk: Desk, events: Sequence[Event]) -> list[Any]:
    return [outcome for slice in in_slices(events) for outcome in desk.step(slice)]


@given(histories(), st.sets(st.integers(0, 30)))
def test_a_desk_restored_anywhere_goes_on_as_if_nothing_was(
    events: list[Event], restarts: set[int]
) -> None:
    whole = outcomes(Desk(), events)

    desk, parts, cut = Desk(), dict[str, bytes](), list[Any]()
    for place, (topic, received) in enumerate(events):
        cut += desk.step(Slice(topic, 0, [received]))
        if place in restarts:
            parts.update(desk.snapshot())
            desk = Desk()
            desk.restore({name: part for name, part in parts.items() if part}.items())

    assert cut == whole


def test_a_snapshot_holds_what_changed_and_what_went() -> None:
    desk = Desk()
    desk.step(a_slice("control", some_limits(), a_halt()))
    assert sorted(dict(desk.snapshot())) == ['["halt"]', '["limits","main"]']

    desk.step(a_slice("control", a_resumption(), first=2))
    desk.step(a_slice("decisions", a_decision()))
    parts = dict(desk.snapshot())
    assert sorted(parts) == ['["halt"]', '["holding","main","sma","eq:AAPL"]', "seen/ticks.warm/0"]
    assert parts['["halt"]'] == b""

    desk.step(a_slice("orders", a_rejection("decisions/0/0/0")))
    parts = dict(desk.snapshot())
    assert parts['["holding","main","sma","eq:AAPL"]'] == b""
    assert dict(desk.snapshot()) == {}


def test_a_part_of_another_fold_is_refused() -> None:
    with pytest.raises(ValueError, match="no part of the desk"):
        Desk().restore([('["weather"]', b"\xc0")])
