"""Rows that are written many at once are those that are written one by one, and give back all."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.timescale.raw import RawRows
from connectors.timescale.ticks import COLUMNS, Prices, TickRows
from hadron.errors import ContractError
from hadron.market.facts import QuoteChanged, RawReceived, TradePrinted
from tests.support import a_quote, a_raw, a_trade, codec

encode, decode = codec().encode, codec().decode
longs = st.integers(-(2**63), 2**63 - 1)
shorts = st.integers(-(2**31), 2**31 - 1)
# Time must fit a TIMESTAMPTZ, whose epoch is later than ours.
shared: dict[str, Any] = {
    "instrument": st.sampled_from(["eq:AAPL", "événement:日本"]),
    "venue": st.sampled_from(["massive", "coinbase"]),
    "raw_partition": st.integers(0, 2),
    "price_scale": st.integers(-3, 12),
    "size_scale": st.integers(0, 2),
    "quality": st.sampled_from(["live", "late"]),
    "lane": st.just("fast"),
    "reason": st.sampled_from(["", "default"]),
    "raw_offset": longs,
    "at_ns": longs,
    "seen_ns": longs,
    "sequence": longs,
}
prices = st.one_of(st.integers(0, 100_000), longs)
ticks = st.one_of(
    st.builds(
        TradePrinted,
        **shared,
        price=prices,
        size=prices,
        conditions=st.lists(shorts, max_size=3).map(tuple),
    ),
    st.builds(QuoteChanged, **shared, bid=prices, ask=prices, bid_size=prices, ask_size=prices),
)


def tick_rows() -> TickRows:
    return TickRows("ticks.fast", 1, codec(), Prices())


def cells(row: bytes) -> list[bytes | None]:
    """The cells of a row as binary COPY has them."""
    (count,), at, found = struct.unpack_from(">h", row), 2, []
    for _ in range(count):
        (size,) = struct.unpack_from(">i", row, at)
        at += 4
        found.append(None if size < 0 else row[at : at + size])
        at += max(size, 0)
    assert at == len(row)
    return found


@given(st.lists(ticks, max_size=20))
def test_ticks_together_give_the_rows_of_ticks_alone(facts: list[Any]) -> None:
    values, offsets = [encode(fact) for fact in facts], list(range(7, 7 + len(facts)))
    together, alone = tick_rows(), tick_rows()

    try:
        rows = together.rows(offsets, values)
    except ContractError:
        # Numbers of more than 62 bits are left to the careful way.
        assert any(abs(getattr(f, name)) >= 2**62 for f in facts for name in _numbers(f))
        return

    assert rows == list(map(alone.row, facts, offsets, values))
    assert all(len(cells(row)) == len(COLUMNS) for row in rows)


def _numbers(fact: Any) -> list[str]:
    return [name for name in fact.__struct_fields__ if isinstance(getattr(fact, name), int)]


@given(st.lists(st.sampled_from([a_trade(), a_quote()]), min_size=1, max_size=5), st.data())
def test_a_tick_that_is_cut_or_run_into_the_next_is_never_taken_for_another(
    facts: list[Any], data: st.DataObject
) -> None:
    values = [encode(fact) for fact in facts]
    place = data.draw(st.integers(0, len(values) - 1))
    cut = data.draw(st.integers(1, 8))
    moved = values[place][-cut:]
    values[place] = values[place][:-cut]
    if place + 1 < len(values) and data.draw(st.booleans()):
        # The same bytes in all, other bounds.
        values[place + 1] += moved

    with pytest.raises(ContractError):
        tick_rows().rows(range(len(values)), values)


@pytest.mark.parametrize("fact", [a_trade(size=0), a_quote(ask_size=0)])
def test_a_number_written_longer_than_need_be_is_kept_as_it_is(fact: Any) -> None:
    value = encode(fact)[:-1] + b"\x80\x00"
    assert decode(value) == fact

    with pytest.raises(ContractError, match="not written as we write it"):
        tick_rows().rows([0], [value])

    assert cells(tick_rows().row(fact, 0, value))[-1] == value
    assert cells(tick_rows().row(fact, 0, encode(fact)))[-1] is None


def test_other_contracts_are_left_to_the_careful_way() -> None:
    for value in (b"", b"junk", encode(a_raw())):
        with pytest.raises(ContractError):
            tick_rows().rows([0, 1], [encode(a_trade()), value])
        with pytest.raises(ContractError):
            RawRows("raw.massive", 0, codec()).rows([0, 1], [encode(a_trade()), value])


@given(
    st.lists(
        st.builds(
            RawReceived,
            venue=st.just("massive"),
            symbol=st.text(max_size=5),
            instrument=st.text(max_size=5),
            connection=st.integers(0, 2),
            frame=longs,
            index=shorts,
            seen_ns=longs,
            payload=st.binary(max_size=300),
        ),
        min_size=1,
        max_size=10,
    )
)
def test_raw_events_together_give_the_rows_of_raw_events_alone(facts: list[RawReceived]) -> None:
    values, offsets = [encode(fact) for fact in facts], list(range(len(facts)))

    rows = RawRows("raw.massive", 1, codec()).rows(offsets, values)

    alone = RawRows("raw.massive", 1, codec())
    assert rows == list(map(alone.row, facts, offsets, values))
    assert [cells(row)[-2:] for row in rows] == [[fact.payload, None] for fact in facts]


def test_a_raw_event_that_another_encoder_wrote_is_kept_whole() -> None:
    fact = a_raw(b"")
    value = encode(fact)[:-1] + b"\x80\x00"  # a length of nothing in two bytes
    assert decode(value) == fact

    assert cells(RawRows("raw.massive", 0, codec()).row(fact, 0, value))[-1] == value
