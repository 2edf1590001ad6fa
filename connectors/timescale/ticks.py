"""Ticks as rows of `ticks` and back: the hot path, so rows are written as COPY's own bytes."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import Any

from connectors.timescale.binary import EPOCH_US, NULL, Fields, integers, price, sized, text
from connectors.timescale.exact import mantissa
from connectors.timescale.layout import Layout
from hadron.market.facts import QuoteChanged, Tick, TradePrinted
from hadron.ports import Codec

TABLE = "ticks"
COLUMNS = (
    *("at", "at_ns", "seen_ns", "log_partition", "log_offset", "raw_partition", "raw_offset"),
    *("sequence", "price_scale", "size_scale"),
    *("log_topic", "kind", "instrument", "venue", "quality", "lane", "reason"),
    *("price", "size", "conditions", "bid", "ask", "bid_size", "ask_size", "record"),
)
LAYOUT = Layout(TABLE, TABLE, COLUMNS, ())
# The number of fields, then each integer after its own length.
_INTEGERS = struct.Struct(">h" + "iq" * 3 + "ii" + "iq" + "ii" + "iq" * 2 + "ii" * 2)
_SHARED = (
    *("raw_partition", "raw_offset", "instrument", "venue", "at_ns", "seen_ns", "sequence"),
    *("price_scale", "size_scale", "quality", "lane", "reason"),
)

Write = Callable[[Any, int, int, bytes], bytes]


class TickRows:
    """Writes the rows of one topic. A record whose columns cannot give it back is kept whole."""

    def __init__(self, topic: str, codec: Codec) -> None:
        self._topic = text(topic)
        self._texts: Fields[str] = Fields(text)
        self._prices: Fields[tuple[int, int]] = Fields(price)
        self._conditions: Fields[tuple[int, ...]] = Fields(integers)
        # The head of the newest contract. Only such a record comes back from columns.
        self._trade_head, self._quote_head = (codec.encode(blank)[:5] for blank in _BLANK)
        self.writers: Mapping[type[Any], Write] = {
            TradePrinted: self.trade,
            QuoteChanged: self.quote,
        }

    def trade(self, fact: TradePrinted, partition: int, offset: int, value: bytes) -> bytes:
        """The row of a trade that lies at (partition, offset) as `value`."""
        texts, prices = self._texts, self._prices
        paid = prices[fact.price, fact.price_scale]
        size = prices[fact.size, fact.size_scale]
        whole = paid is NULL or size is NULL or value[:5] != self._trade_head
        return b"".join(
            (
                _integers(fact, partition, offset),
                self._topic,
                _TRADE,
                texts[fact.instrument],
                texts[fact.venue],
                texts[fact.quality],
                texts[fact.lane],
                texts[fact.reason],
                paid,
                size,
                self._conditions[tuple(fact.conditions)],
                _NO_QUOTE,
                sized(value) if whole else NULL,
            )
        )

    def quote(self, fact: QuoteChanged, partition: int, offset: int, value: bytes) -> bytes:
        """The row of a quote that lies at (partition, offset) as `value`."""
        texts, prices = self._texts, self._prices
        scale, size_scale = fact.price_scale, fact.size_scale
        bid, bid_size = prices[fact.bid, scale], prices[fact.bid_size, size_scale]
        ask, ask_size = prices[fact.ask, scale], prices[fact.ask_size, size_scale]
        whole = bid is NULL or ask is NULL or bid_size is NULL or ask_size is NULL
        return b"".join(
            (
                _integers(fact, partition, offset),
                self._topic,
                _QUOTE,
                texts[fact.instrument],
                texts[fact.venue],
                texts[fact.quality],
                texts[fact.lane],
                texts[fact.reason],
                _NO_TRADE,
                bid,
                ask,
                bid_size,
                ask_size,
                sized(value) if whole or value[:5] != self._quote_head else NULL,
            )
        )


def _integers(fact: Tick, partition: int, offset: int) -> bytes:
    # Each after its length. Written out, because unpacking pairs costs as much as all the rest.
    at_ns = fact.at_ns
    return _INTEGERS.pack(
        _CELLS,
        8,
        at_ns // 1000 - EPOCH_US,
        8,
        at_ns,
        8,
        fact.seen_ns,
        4,
        partition,
        8,
        offset,
        4,
        fact.raw_partition,
        8,
        fact.raw_offset,
        8,
        fact.sequence,
        4,
        fact.price_scale,
        4,
        fact.size_scale,
    )


_CELLS = len(COLUMNS)
_NOTHING: Mapping[str, Any] = {
    **dict.fromkeys(("instrument", "venue", "reason"), ""),
    **dict.fromkeys(("raw_partition", "raw_offset", "at_ns", "seen_ns", "sequence"), 0),
    **{"price_scale": 0, "size_scale": 0, "quality": "live", "lane": "cold"},
}
_BLANK: tuple[Tick, Tick] = (
    TradePrinted(**_NOTHING, price=0, size=0, conditions=()),
    QuoteChanged(**_NOTHING, bid=0, ask=0, bid_size=0, ask_size=0),
)
_TRADE, _QUOTE = text("trade"), text("quote")
_NO_TRADE, _NO_QUOTE = NULL * 3, NULL * 4


def tick(row: Mapping[str, Any]) -> Tick:
    """The fact that a row of `ticks` without `record` stands for."""
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
