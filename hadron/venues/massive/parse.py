"""Massive's stock events to trades and quotes (massive.com, stocks WebSocket, `T` and `Q`)."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Union

import msgspec
from msgspec import Meta, Raw, Struct, defstruct, field

from hadron.errors import ContractError
from hadron.values import LONG_MAX
from hadron.venues.numbers import number_of, same_scale
from hadron.venues.parsed import ParsedQuote, ParsedTrade

# Massive has no such condition: our simulator gives it to what a tape flags as suspicious.
SUSPICIOUS = 9000
SUSPICIOUS_TEXT = b"9000"
MS = 1_000_000

# T and Q are in milliseconds. A time in nanoseconds, as LULD has it, would overflow and is refused.
Milliseconds = Annotated[int, Meta(ge=1, le=LONG_MAX // MS)]
Sequence = Annotated[int, Meta(ge=0, le=LONG_MAX)]
Condition = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]


class Trade(Struct, tag_field="ev", tag="T", gc=False):
    """A `T` event: what we read of it."""

    sym: str
    p: Raw
    t: Milliseconds
    q: Sequence = 0
    s: Raw = Raw()  # a trade of no size at all is unreadable
    ds: str | None = None  # the whole size with its fraction, where `s` has whole shares only
    c: tuple[Condition, ...] | None = None


class Quote(Struct, tag_field="ev", tag="Q", gc=False):
    """A `Q` event; each side may be missing, null or 0."""

    sym: str
    t: Milliseconds
    q: Sequence = 0
    bp: Raw = Raw(b"0")
    bs: Raw = Raw(b"0")
    ap: Raw = Raw(b"0")
    as_: Raw = field(name="as", default=Raw(b"0"))
    c: Raw = Raw()  # a single number, where trades have an array


# Known events that are no ticks: bars, price bands, imbalances, fair and index values.
OTHERS = [
    defstruct(code, [], tag_field="ev", tag=code) for code in ("A", "AM", "LULD", "NOI", "FMV", "V")
]

_decode = msgspec.json.Decoder(Union[Trade, Quote, *OTHERS]).decode


def parse(payload: bytes) -> ParsedTrade | ParsedQuote | None:
    """Read one element of a frame; None for a known event that is neither trade nor quote.

    Prices go from text to exact numbers. Raise ContractError for anything else.
    """
    try:
        event = _decode(payload)
        if type(event) is Trade:
            return _trade(event)
        return _quote(event) if type(event) is Quote else None
    except ContractError as error:
        raise ContractError(f"Massive: {error}: {payload[:80]!r}", record=payload) from None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ContractError(f"not Massive: {error}: {payload[:80]!r}", record=payload) from error


def _trade(event: Trade) -> ParsedTrade:
    price, price_scale = number_of(bytes(event.p))
    size, size_scale = number_of(bytes(event.s) if event.ds is None else event.ds.encode())
    conditions = event.c or ()
    return ParsedTrade(
        event.t * MS,
        event.q,
        price,
        price_scale,
        size,
        size_scale,
        conditions,
        price <= 0 or size < 0 or SUSPICIOUS in conditions,
    )


def _quote(event: Quote) -> ParsedQuote:
    bid, scale = _or_nothing(bytes(event.bp))
    ask, ask_scale = _or_nothing(bytes(event.ap))
    bid_size, size_scale = _or_nothing(bytes(event.bs)) if bid else NOTHING
    ask_size, ask_size_scale = _or_nothing(bytes(event.as_)) if ask else NOTHING
    if scale != ask_scale:
        bid, ask, scale = same_scale((bid, scale), (ask, ask_scale))
    if size_scale != ask_size_scale:
        bid_size, ask_size, size_scale = same_scale(
            (bid_size, size_scale), (ask_size, ask_size_scale)
        )
    return ParsedQuote(
        event.t * MS,
        event.q,
        bid,
        ask,
        scale,
        bid_size,
        ask_size,
        size_scale,
        bid > ask > 0 or bid < 0 or ask < 0 or bytes(event.c) == SUSPICIOUS_TEXT,
    )


NOTHING = (0, 0)


@lru_cache(maxsize=16_384)
def _or_nothing(text: bytes) -> tuple[int, int]:
    """A number; (0, 0) for null and for any zero, which both say that the side is missing."""
    if text == b"null":
        return NOTHING
    number = number_of(text)
    return number if number[0] else NOTHING
