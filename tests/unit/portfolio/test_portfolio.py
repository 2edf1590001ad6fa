"""The portfolio says what is held after each fill and each mark."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from itertools import groupby
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from hadron.fold import Received, Slice
from hadron.portfolio.facts import PositionChanged
from hadron.portfolio.portfolio import Portfolio
from tests.support import a_fill, a_slice, codec
from tests.unit.desk.facts import a_halt, a_mark
from tests.unit.desk.test_desk import a_rejection


def held(side: Any = "buy", **changes: Any) -> Portfolio:
    """A portfolio after one fill of 100 eq:AAPL at 100.01."""
    portfolio = Portfolio()
    portfolio.step(a_slice("orders", a_fill(side=side, **changes)))
    return portfolio


def test_a_fill_changes_a_position() -> None:
    [changed] = Portfolio().step(a_slice("orders", a_fill(), partition=2, first=9))

    assert (changed.source, changed.partition, changed.offset, changed.index) == ("orders", 2, 9, 0)
    assert (changed.quantity, changed.average_price) == (Decimal(100), Decimal("100.01"))
    assert (changed.realised, changed.unrealised, changed.mark) == (Decimal(0), None, None)


@pytest.mark.parametrize(
    ("side", "changes", "mark", "unrealised"),
    [
        ("buy", {"bid": Decimal(101), "ask": Decimal(103)}, "101", "99"),
        ("sell", {"bid": Decimal(101), "ask": Decimal(103)}, "103", "-299"),
        ("buy", {"ask": Decimal(103)}, "102", "199"),
        ("sell", {"bid": Decimal(101)}, "102", "-199"),
    ],
    ids=["long at the bid", "short at the ask", "else long at the last", "else short at the last"],
)
def test_a_mark_values_a_position_at_what_closing_it_would_bring(
    side: str, changes: dict[str, Any], mark: str, unrealised: str
) -> None:
    [changed] = held(side).step(a_slice("marks", a_mark("102", **changes), first=3))

    assert (changed.source, changed.offset, changed.index) == ("marks", 3, 0)
    assert changed.mark == Decimal(mark)
    assert changed.unrealised == Decimal(unrealised)


def test_a_mark_without_prices_values_nothing() -> None:
    [changed] = held().step(a_slice("marks", a_mark(None)))

    assert (changed.mark, changed.unrealised) == (None, None)


def test_a_fill_after_a_mark_is_valued_at_it() -> None:
    portfolio = held()
    portfolio.step(a_slice("marks", a_mark("101")))

    [changed] = portfolio.step(a_slice("orders", a_fill(offset=1), first=1))

    assert (changed.quantity, changed.unrealised) == (Decimal(200), Decimal(198))


def test_a_mark_of_what_is_not_held_says_nothing() -> None:
    portfolio = held()
    portfolio.step(a_slice("orders", a_fill(offset=1, side="sell"), first=1))

    assert portfolio.step(a_slice("marks", a_mark(), a_mark(instrument="eq:MSFT"))) == []


def test_a_mark_from_before_does_not_value_a_position_opened_later() -> None:
    portfolio = held()
    portfolio.step(a_slice("marks", a_mark("101")))
    portfolio.step(a_slice("orders", a_fill(offset=1, side="sell"), first=1))

    [changed] = portfolio.step(a_slice("orders", a_fill(offset=2), first=2))

    assert changed.unrealised is None


def test_a_mark_says_each_position_of_its_instrument_in_the_order_of_names() -> None:
    portfolio = held(strategy="sma")
    portfolio.step(a_slice("orders", a_fill(offset=1, strategy="crossover"), first=1))

    changed = portfolio.step(a_slice("marks", a_mark()))

    assert [(c.index, c.strategy) for c in changed] == [(0, "crossover"), (1, "sma")]


def test_a_fill_that_lies_twice_on_the_log_counts_once() -> None:
    portfolio = held()

    assert portfolio.step(a_slice("orders", a_fill(), first=1)) == []
    assert portfolio.repeated == 1


def test_rejected_orders_and_other_facts_change_nothing() -> None:
    facts = a_slice("orders", a_rejection("decisions/0/0/0"), a_halt())

    assert Portfolio().step(facts) == []


def test_the_smallest_and_largest_numbers_of_the_wire_can_be_stated() -> None:
    # given: a mantissa near 64 bits with 8 decimals, for price and quantity alike
    number = Decimal("92233720368.54775807")
    portfolio = Portfolio()

    [changed] = portfolio.step(a_slice("orders", a_fill(quantity=number, price=number)))

    assert codec().decode(codec().encode(changed)).average_price == changed.average_price


Event = tuple[str, Received]


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    fills = st.builds(
        lambda side, quantity, price, strategy, instrument, offset: (
            "orders",
            a_fill(
                side=side,
                quantity=Decimal(quantity),
                price=Decimal(price) / 100,
                strategy=strategy,
                instrument=instrument,
                offset=offset,
            ),
        ),
        st.sampled_from(("buy", "sell")),
        st.sampled_from((100, 100, 30)),
        st.integers(1, 20_000),
        st.sampled_from(("sma", "crossover")),
        st.sampled_from(("eq:AAPL", "eq:MSFT")),
        st.integers(0, 25),
    )
    marks = st.builds(
        lambda last, instrument: ("marks", a_mark(str(last), instrument=instrument)),
        st.integers(1, 200),
        st.sampled_from(("eq:AAPL", "eq:MSFT")),
    )
    drawn = draw(st.lists(st.one_of(fills, marks), max_size=25))
    return [(topic, Received(offset, fact)) for offset, (topic, fact) in enumerate(drawn)]


def in_slices(portfolio: Portfolio, events: Sequence[Event]) -> list[PositionChanged]:
    """Step consecutive events of a topic as one slice."""
    out: list[PositionChanged] = []
    for topic, group in groupby(events, key=lambda event: event[0]):
        out += portfolio.step(Slice(topic, 0, [received for _, received in group]))
    return out


@given(histories(), st.sets(st.integers(0, 25)))
def test_a_portfolio_restored_anywhere_goes_on_as_if_nothing_was(
    events: list[Event], restarts: set[int]
) -> None:
    whole = in_slices(Portfolio(), events)

    portfolio, parts, cut = Portfolio(), dict[str, bytes](), list[PositionChanged]()
    for place, (topic, received) in enumerate(events):
        cut += portfolio.step(Slice(topic, 0, [received]))
        if place in restarts:
            parts.update(portfolio.snapshot())
            portfolio = Portfolio()
            portfolio.restore(parts.items())

    assert cut == whole


@given(histories())
def test_every_statement_fits_its_contract(events: list[Event]) -> None:
    out = in_slices(Portfolio(), events)

    assert [codec().decode(codec().encode(changed)) for changed in out] == out
