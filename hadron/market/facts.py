"""What happened in a market."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

import msgspec

Lane = Literal["fast", "warm", "cold"]
# live     nothing is wrong
# gap      events of this instrument may be missing just before this one
# late     the venue's time or sequence is before one already seen
# stale    it was old when it was received
# suspect  the venue flagged it, or it cannot be right (a crossed quote)
Quality = Literal["live", "gap", "late", "stale", "suspect"]


class RawReceived(msgspec.Struct, frozen=True, gc=False):
    """One event as a venue sent it. `payload` is its bytes, untouched."""

    venue: str
    symbol: str
    instrument: str
    connection: int  # grows by one with each connection of the feed
    frame: int  # number of the frame within the connection
    index: int  # place within the frame
    seen_ns: int
    payload: bytes


class TradePrinted(msgspec.Struct, frozen=True, gc=False):
    """A trade at `price / 10**price_scale`.

    Its raw record is `raw.<venue>`, partition `raw_partition`, offset `raw_offset`. Fields with few
    values come first: the codec encodes such a run once (`repeats` in the contract).
    """

    instrument: str
    venue: str
    raw_partition: int
    price_scale: int
    size_scale: int
    conditions: tuple[int, ...]
    quality: Quality
    lane: Lane
    reason: str  # why this lane
    raw_offset: int
    at_ns: int
    seen_ns: int
    sequence: int  # the venue's, 0 if it has none
    price: int
    size: int


class QuoteChanged(msgspec.Struct, frozen=True, gc=False):
    """The best bid and ask that a venue showed; a side without a price is 0 with size 0."""

    instrument: str
    venue: str
    raw_partition: int
    price_scale: int
    size_scale: int
    quality: Quality
    lane: Lane
    reason: str  # why this lane
    raw_offset: int
    at_ns: int
    seen_ns: int
    sequence: int  # the venue's, 0 if it has none
    bid: int
    ask: int
    bid_size: int
    ask_size: int


class PriceMarked(msgspec.Struct, frozen=True):
    """The price of a held instrument, at most once a second of event time. None is made up."""

    source: str
    partition: int
    offset: int
    index: int
    instrument: str
    at_ns: int
    bid: Decimal | None
    ask: Decimal | None
    last: Decimal | None


Tick = TradePrinted | QuoteChanged
