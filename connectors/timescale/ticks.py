"""Ticks as rows of `ticks` and back: the hot path, so rows are written as COPY's own bytes."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from connectors.timescale.binary import (
    EPOCH_US,
    NULL,
    Fields,
    field,
    integer,
    integers,
    price,
    sized,
    text,
)
from connectors.timescale.exact import mantissa
from connectors.timescale.kept import kept, marked
from connectors.timescale.layout import Layout
from hadron.market.facts import QuoteChanged, Tick, TradePrinted
from hadron.ports import Codec

TABLE = "ticks"
# Of each tick its own; of all that have its instrument, lane and so on; prices; the record.
COLUMNS = (
    *("at", "at_ns", "seen_ns", "log_offset", "raw_offset", "sequence"),
    *("log_partition", "raw_partition", "price_scale", "size_scale"),
    *("log_topic", "kind", "instrument", "venue", "quality", "lane", "reason", "conditions"),
    *("price", "size", "bid", "ask", "bid_size", "ask_size", "record"),
)
LAYOUT = Layout(TABLE, TABLE, COLUMNS, ())
_CELLS = len(COLUMNS)
# The number of cells, then each integer after its own length.
_INTEGERS = struct.Struct(">h" + "iq" * 6).pack
_SHARED = (
    *("raw_partition", "raw_offset", "instrument", "venue", "at_ns", "seen_ns", "sequence"),
    *("price_scale", "size_scale", "quality", "lane", "reason"),
)
_TRADE, _QUOTE = text("trade"), text("quote")
_NO_TRADE, _NO_QUOTE = NULL * 2, NULL * 4


class Prices(dict[int, Fields[int]]):
    """Fields of NUMERIC(20,8) by scale and mantissa; NULL where it would have to be rounded."""

    def __missing__(self, scale: int) -> Fields[int]:
        fields = self[scale] = Fields(lambda mantissa: price((mantissa, scale)))
        return fields


class _Run(NamedTuple):
    """What the rows of ticks share that have the same repeated fields."""

    trade: bool
    cells: bytes
    prices: Fields[int]
    sizes: Fields[int]
    kept: bytes  # `record`, where the columns give back what the newest version writes


class TickRows:
    """Writes the rows of one partition."""

    def __init__(self, topic: str, partition: int, codec: Codec, prices: Prices) -> None:
        self._codec, self._prices = codec, prices
        self._topic, self._partition = text(topic), integer(partition)
        self._split = codec.splitter((TradePrinted, QuoteChanged), self._run)

    def rows(self, offsets: Sequence[int], values: Sequence[bytes]) -> list[bytes]:
        """The rows of ticks at these offsets, cheaper than one by one.

        Raise ContractError if any is not just as we would write it today.
        """
        runs, longs = self._split(values)
        rows: list[bytes] = []
        add, at = rows.append, 0
        for offset, value, run in zip(offsets, values, runs, strict=True):
            trade, cells, prices, sizes, kept = run
            if trade:
                raw, at_ns, seen_ns, sequence, price, size = longs[at : at + 6]
                at += 6
                first, second = prices[price], sizes[size]
                whole = first is NULL or second is NULL
                numbers = first + second + _NO_QUOTE
            else:
                raw, at_ns, seen_ns, sequence, bid, ask, some, others = longs[at : at + 8]
                at += 8
                first, second, third, last = prices[bid], prices[ask], sizes[some], sizes[others]
                whole = first is NULL or second is NULL or third is NULL or last is NULL
                numbers = first + second + third + last
            at_us = at_ns // 1000 - EPOCH_US
            own = _INTEGERS(_CELLS, 8, at_us, 8, at_ns, 8, seen_ns, 8, offset, 8, raw, 8, sequence)
            add(own + cells + numbers + (sized(value) if whole else kept))
        return rows

    def row(self, fact: Tick, offset: int, value: bytes) -> bytes:
        """The row of a tick that lies at `offset` as `value`, whoever wrote it.

        It is kept whole where the columns alone would not give it back.
        """
        _, cells, prices, sizes, _ = self._run(fact)
        if isinstance(fact, TradePrinted):
            numbers = [prices[fact.price], sizes[fact.size]]
        else:
            numbers = [prices[fact.bid], prices[fact.ask]]
            numbers += [sizes[fact.bid_size], sizes[fact.ask_size]]
        record = value if NULL in numbers else kept(fact, value, self._codec)
        if isinstance(fact, TradePrinted):
            numbers.append(_NO_QUOTE)
        own = (fact.at_ns // 1000 - EPOCH_US, fact.at_ns, fact.seen_ns, offset, fact.raw_offset)
        pairs = [part for number in (*own, fact.sequence) for part in (8, number)]
        return b"".join((_INTEGERS(_CELLS, *pairs), cells, *numbers, field(record)))

    def _run(self, fact: Tick) -> _Run:
        trade = isinstance(fact, TradePrinted)
        cells = (
            *(self._partition, integer(fact.raw_partition)),
            *(integer(fact.price_scale), integer(fact.size_scale)),
            *(self._topic, _TRADE if trade else _QUOTE, text(fact.instrument), text(fact.venue)),
            *(text(fact.quality), text(fact.lane), text(fact.reason)),
            integers(tuple(fact.conditions)) if isinstance(fact, TradePrinted) else NULL,
            b"" if trade else _NO_TRADE,
        )
        return _Run(
            trade,
            b"".join(cells),
            self._prices[fact.price_scale],
            self._prices[fact.size_scale],
            field(marked(self._codec.newest(type(fact)))),
        )


def tick(row: Mapping[str, Any]) -> Tick:
    """The fact that a row of `ticks` stands for."""
    shared = {name: row[name] for name in _SHARED}
    price_scale, size_scale = row["price_scale"], row["size_scale"]
    if row["kind"] == "trade":
        return TradePrinted(
            price=mantissa(row["price"], price_scale),
            size=mantissa(row["size"], size_scale),
            conditions=tuple(row["conditions"]),
            **shared,
        )
    return QuoteChanged(
        bid=mantissa(row["bid"], price_scale),
        ask=mantissa(row["ask"], price_scale),
        bid_size=mantissa(row["bid_size"], size_scale),
        ask_size=mantissa(row["ask_size"], size_scale),
        **shared,
    )
