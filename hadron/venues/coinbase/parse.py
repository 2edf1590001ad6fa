"""Coinbase's trades and tickers to trades and quotes (Advanced Trade, `market_trades`, `ticker`).

A ticker carries no time of its own (the envelope around it does, and the raw record is the bytes
of the ticker alone): its `at_ns` is 0, which means that the time of receipt stands in.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

import msgspec
from msgspec import UNSET, Struct, UnsetType

from hadron.errors import ContractError
from hadron.values import LONG_MAX
from hadron.venues.numbers import number_of, same_scale
from hadron.venues.parsed import ParsedQuote, ParsedTrade

S = 1_000_000_000
NOTHING = (0, 0)


class _Event(Struct, gc=False):
    """A trade has `trade_id`, a ticker has `type`; `side` is not needed (maker's or taker's?)."""

    product_id: str
    price: str
    type: str | UnsetType = UNSET
    trade_id: str = ""
    size: str = ""
    time: str = ""
    best_bid: str = ""
    best_bid_quantity: str = ""
    best_ask: str = ""
    best_ask_quantity: str = ""


_decode = msgspec.json.Decoder(_Event).decode


def parse(payload: bytes) -> ParsedTrade | ParsedQuote | None:
    """Read one trade or ticker; None for a ticker without best prices (`ticker_batch`).

    Prices go from text to exact numbers. Raise ContractError for anything else.
    """
    try:
        event = _decode(payload)
        if event.type is UNSET:
            return _trade(event)
        if event.type == "ticker":
            return _quote(event)
        raise ContractError(f"unknown type {event.type!r}")
    except ContractError as error:
        raise ContractError(f"Coinbase: {error}: {payload[:80]!r}", record=payload) from None
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise ContractError(f"not Coinbase: {error}: {payload[:80]!r}", record=payload) from error


def _trade(event: _Event) -> ParsedTrade:
    price, price_scale = number_of(event.price.encode())
    size, size_scale = number_of(event.size.encode())
    return ParsedTrade(
        nanoseconds(event.time),
        _trade_number(event.trade_id),
        price,
        price_scale,
        size,
        size_scale,
        (),
        price <= 0 or size <= 0,
    )


def _quote(event: _Event) -> ParsedQuote | None:
    if not event.best_bid and not event.best_ask:
        return None
    bid = _or_nothing(event.best_bid)
    ask = _or_nothing(event.best_ask)
    bid_size = _or_nothing(event.best_bid_quantity) if bid[0] else NOTHING
    ask_size = _or_nothing(event.best_ask_quantity) if ask[0] else NOTHING
    lower, upper, scale = same_scale(bid, ask)
    lower_size, upper_size, size_scale = same_scale(bid_size, ask_size)
    suspect = lower > upper > 0 or lower < 0 or upper < 0
    return ParsedQuote(0, 0, lower, upper, scale, lower_size, upper_size, size_scale, suspect)


def _or_nothing(text: str) -> tuple[int, int]:
    number = number_of(text.encode()) if text else NOTHING
    return number if number[0] else NOTHING


def _trade_number(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 19 or int(text) > LONG_MAX:
        raise ContractError(f"trade_id is no number: {text[:40]!r}")
    return int(text)


def nanoseconds(text: str) -> int:
    """RFC 3339 with up to nine digits of a second, in UTC, to ns since the epoch, exactly.

    Raise ContractError for anything else, also for a time before 1970.
    """
    fraction = text[20:-1]
    tail = text[19:20] + text[-1:]
    plain = tail == "ZZ" and len(text) == 20
    if not plain and not (
        tail == ".Z" and fraction.isascii() and fraction.isdigit() and len(fraction) <= 9
    ):
        raise ContractError(f"not a time of RFC 3339 in UTC: {text[:40]!r}")
    return _seconds(text[:19]) * S + (int(fraction.ljust(9, "0")) if fraction else 0)


@lru_cache(maxsize=1024)
def _seconds(text: str) -> int:
    try:
        moment = datetime.strptime(text, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        raise ContractError(f"not a time of RFC 3339: {text[:40]!r}") from None
    seconds = int(moment.timestamp())
    if not 0 <= seconds <= LONG_MAX // S - 1:
        raise ContractError(f"a time out of range: {text[:40]!r}")
    return seconds
