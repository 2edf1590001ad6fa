"""Ticks and raw events that are read in bulk have the leaves of their records."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg.adapt import PyFormat

from connectors.timescale.binary import EPOCH_US, HEAD, NULL, TAIL, integers, sized
from connectors.timescale.layout import Place
from connectors.timescale.verifying import bulk, raw_leaves, tick_leaves
from connectors.timescale.verifying.expectation import cells
from connectors.timescale.verifying.raw_leaves import RawLeaves
from connectors.timescale.verifying.tick_leaves import TickLeaves
from hadron.audit.leaves import Leaves
from hadron.market.facts import RawReceived
from tests.support import T0_NS, a_quote, a_raw, a_trade, codec

PLACE = ("ticks.fast", 3)
LEAVES = Leaves(codec().fingerprint)
LONG = st.integers(-(2**63) + 1, 2**63 - 1)
SMALL = st.integers(-(10**11), 10**11)
TIME = st.integers(-(10**18), 3 * 10**18)
SHARED: Mapping[str, Any] = {
    "raw_offset": LONG,
    "sequence": LONG,
    "at_ns": TIME,
    "seen_ns": LONG,
    "raw_partition": st.integers(0, 9),
    "price_scale": st.integers(0, 8),
    "size_scale": st.integers(0, 8),
    "instrument": st.sampled_from(["eq:AAPL", "événement:日本", ""]),
    "lane": st.sampled_from(["fast", "cold"]),
}
TRADES = st.builds(
    lambda **changes: a_trade(**changes),
    **SHARED,
    size=SMALL,
    conditions=st.lists(st.integers(-(2**31), 2**31 - 1), max_size=3).map(tuple),
)
QUOTES = st.builds(a_quote, **SHARED, bid=SMALL, ask=SMALL, bid_size=SMALL, ask_size=SMALL)
FACTS = st.lists(st.one_of(TRADES, QUOTES), min_size=1, max_size=20)


class Aside:
    """Who is asked for rows that are not plain, which no row here may be."""


def row(fact: Any, offset: int, **changes: Any) -> bytes:
    """A row as the server sends it, in the order in which it is asked for."""
    value = codec().encode(fact)
    found = cells(fact, Place(*PLACE, offset), value, codec()) | changes
    names = raw_leaves.COLUMNS if type(fact) is RawReceived else tick_leaves.COLUMNS
    return struct.pack(">h", len(names)) + b"".join(_field(name, found[name]) for name in names)


def _field(name: str, cell: Any) -> bytes:
    if cell is None:
        return NULL
    if name == "at":
        return sized(struct.pack(">q", cell - EPOCH_US))
    if name == "conditions":
        return integers(tuple(cell))
    if isinstance(cell, str):
        return sized(cell.encode())
    if isinstance(cell, int):
        small = name in (*tick_leaves._SMALL, "frame_index")
        return sized(struct.pack(">i" if small else ">q", cell))
    dumper: Any = psycopg.adapters.get_dumper(type(cell), PyFormat.BINARY)
    return sized(bytes(dumper(type(cell)).dump(cell)))


RAW = st.lists(
    st.builds(
        lambda **changes: a_raw(**changes),
        payload=st.binary(max_size=300),
        symbol=st.sampled_from(["AAPL", "日本"]),
        connection=LONG,
        frame=LONG,
        index=st.integers(0, 2**31 - 1),
        seen_ns=TIME,
    ),
    min_size=1,
    max_size=20,
)


@given(RAW)
def test_so_it_is_with_raw_events(facts: list[Any]) -> None:
    aside: Any = Aside()

    offsets, leaves = RawLeaves(PLACE, codec(), LEAVES)._slice(
        [row(fact, n) for n, fact in enumerate(facts)], aside
    )

    assert leaves == [
        LEAVES.record(*PLACE, offset, codec().encode(fact))
        for offset, fact in zip(offsets, facts, strict=True)
    ]


@given(FACTS)
def test_they_are_the_leaves_of_the_records(facts: list[Any]) -> None:
    reader = TickLeaves(PLACE, codec(), LEAVES)
    rows = [row(fact, 10 + n) for n, fact in enumerate(facts)]
    aside: Any = Aside()

    offsets, leaves = reader._slice(rows, aside)

    assert offsets == list(range(10, 10 + len(facts)))
    assert leaves == [
        LEAVES.record(*PLACE, offset, codec().encode(fact))
        for offset, fact in zip(offsets, facts, strict=True)
    ]


@pytest.mark.parametrize(
    ("fact", "changes"),
    [
        (a_trade("0.123456789"), {}),  # kept whole
        (a_trade("1.55"), {"price_scale": 1}),
        (a_trade("1.50"), {"at": T0_NS // 1000 + 1}),
        (a_trade("1.50"), {"bid": 0}),
        (a_trade("1.50"), {"record": b"x"}),
        (a_trade("1.50"), {"record": b"\1"}),
        (a_trade("1.50"), {"kind": "quote"}),
        (a_trade("1.50"), {"conditions": None}),
        (a_trade("1.50"), {"price": None}),
        (a_quote(), {"kind": "trade"}),
        (a_quote(), {"size": 1}),
        (a_quote(), {"ask_size": None}),
        (a_quote(), {"conditions": []}),
        (a_quote(), {"record": b""}),
        (a_quote(price_scale=-2), {}),
        (a_raw(), {"record": b"x"}),
        (a_raw(), {"record": b"\1"}),
        (a_raw(), {"at": 0}),
        (a_raw(), {"connection": None}),
        (a_raw(), {"payload": None}),
        (a_raw(), {"venue": None}),
    ],
)
def test_rows_that_are_not_plain_are_left_to_our_codec(fact: Any, changes: Any) -> None:
    given_ = {
        name: Decimal(cell) if name in ("bid", "size") and cell is not None else cell
        for name, cell in changes.items()
    }
    kind = RawLeaves if type(fact) is RawReceived else TickLeaves
    reader, aside = kind(PLACE, codec(), LEAVES), Aside()

    with pytest.raises(AttributeError, match="cursor"):
        reader._slice([row(fact, 0, **given_)], aside)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("chunks", "rows"),
    [
        ([HEAD + TAIL], []),
        ([HEAD, TAIL], []),
        ([HEAD + b"one", TAIL], [b"one"]),
        ([HEAD, b"one", b"two", TAIL], [b"one", b"two"]),
        ([HEAD + b"one", b"two"], [b"one", b"two"]),
        ([b"one", b"two", TAIL], [b"one", b"two"]),
        ([TAIL], []),
    ],
)
def test_what_is_around_the_rows_is_none(chunks: list[bytes], rows: list[bytes]) -> None:
    assert bulk._bare(chunks) == rows
