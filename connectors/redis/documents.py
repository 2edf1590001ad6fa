"""What the keys hold: one fact each, in JSON, with its place on the log."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from hadron.market.facts import QuoteChanged, TradePrinted
from hadron.portfolio.facts import PositionChanged
from hadron.values import number

# Topic, partition and offset of a fact.
Place = tuple[str, int, int]
PRICE, BOOK, POSITION = "price:", "book:", "position:"


class Price(msgspec.Struct, frozen=True):
    """`price:<instrument>`: the newest trade that is not suspect."""

    instrument: str
    last: Decimal
    size: Decimal
    at_ns: int
    quality: str
    log_topic: str
    log_partition: int
    log_offset: int


class Book(msgspec.Struct, frozen=True):
    """`book:<instrument>`: the top of the book; a side without orders is None."""

    instrument: str
    bid: Decimal | None
    bid_size: Decimal
    ask: Decimal | None
    ask_size: Decimal
    at_ns: int
    quality: str
    log_topic: str
    log_partition: int
    log_offset: int


class Position(msgspec.Struct, frozen=True):
    """`position:<portfolio>/<strategy>/<instrument>`: what is held."""

    portfolio: str
    strategy: str
    instrument: str
    at_ns: int
    quantity: Decimal  # below zero is short
    average_price: Decimal | None  # None when flat
    realised: Decimal
    unrealised: Decimal | None  # None while no price is known
    mark: Decimal | None
    log_topic: str
    log_partition: int
    log_offset: int


Document = Price | Book | Position


def key_of(fact: Any) -> str | None:
    """The key that a fact may be the newest of, or None."""
    match fact:
        case TradePrinted():
            return None if fact.quality == "suspect" else PRICE + fact.instrument
        case QuoteChanged():
            return None if fact.quality == "suspect" else BOOK + fact.instrument
        case PositionChanged():
            return f"{POSITION}{fact.portfolio}/{fact.strategy}/{fact.instrument}"
    return None


def instrument_of(key: str) -> str | None:
    """The instrument of a key, or None for a key that is none of ours."""
    for kind in (PRICE, BOOK):
        if key.startswith(kind):
            return key.removeprefix(kind)
    if key.startswith(POSITION) and key.count("/") >= 2:
        return key.split("/", 2)[2]
    return None


def document_of(fact: Any, place: Place) -> Document:
    """The document of a fact that `key_of` has a key for."""
    match fact:
        case TradePrinted():
            last, size = number(fact.price, fact.price_scale), number(fact.size, fact.size_scale)
            return Price(fact.instrument, last, size, fact.at_ns, fact.quality, *place)
        case QuoteChanged():
            bid, bid_size = _side(fact, fact.bid, fact.bid_size)
            ask, ask_size = _side(fact, fact.ask, fact.ask_size)
            sides = (bid, bid_size, ask, ask_size)
            return Book(fact.instrument, *sides, fact.at_ns, fact.quality, *place)
    shared = {name: getattr(fact, name) for name in _OF_A_POSITION}
    topic, partition, offset = place
    return Position(**shared, log_topic=topic, log_partition=partition, log_offset=offset)


def _side(quote: QuoteChanged, price: int, size: int) -> tuple[Decimal | None, Decimal]:
    there = price != 0 or size != 0
    return number(price, quote.price_scale) if there else None, number(size, quote.size_scale)


_OF_A_POSITION = tuple(
    name for name in Position.__struct_fields__ if name in PositionChanged.__struct_fields__
)
