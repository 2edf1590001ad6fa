"""A venue for tests: its payload is a parsed tick in msgpack, behind a letter."""

from __future__ import annotations

from typing import Any

import msgspec

from hadron.errors import ContractError
from hadron.market.facts import RawReceived
from hadron.venues.parsed import ParsedQuote, ParsedTrade
from tests.support import T0_NS, a_raw


def parse(payload: bytes) -> ParsedTrade | ParsedQuote | None:
    """Read what the builders below write; an empty payload is no tick."""
    match payload[:1]:
        case b"T":
            return msgspec.msgpack.decode(payload[1:], type=ParsedTrade)
        case b"Q":
            return msgspec.msgpack.decode(payload[1:], type=ParsedQuote)
        case b"":
            return None
    raise ContractError(f"neither T nor Q: {payload!r}", record=payload)


def a_raw_trade(
    price: int = 10_000, *, parsed: dict[str, Any] | None = None, **changes: Any
) -> RawReceived:
    """The raw event of a trade of eq:AAPL, the price in cents."""
    trade = ParsedTrade(T0_NS, 0, price, 2, 100, 0, (), False)
    trade = msgspec.structs.replace(trade, **(parsed or {}))
    return a_raw(b"T" + msgspec.msgpack.encode(trade), **changes)


def a_raw_quote(
    bid: int = 9_999, *, parsed: dict[str, Any] | None = None, **changes: Any
) -> RawReceived:
    """The raw event of a quote of eq:AAPL, two cents wide."""
    quote = ParsedQuote(T0_NS, 0, bid, bid + 2, 2, 100, 100, 0, False)
    quote = msgspec.structs.replace(quote, **(parsed or {}))
    return a_raw(b"Q" + msgspec.msgpack.encode(quote), **changes)
