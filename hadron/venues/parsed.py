"""What a venue's parser makes of one raw event, before quality and priority are known."""

from __future__ import annotations

from collections.abc import Callable

import msgspec


class ParsedTrade(msgspec.Struct, frozen=True, gc=False):
    """A trade; `suspect` is what the venue said, or what cannot be right."""

    at_ns: int
    sequence: int
    price: int
    price_scale: int
    size: int
    size_scale: int
    conditions: tuple[int, ...]
    suspect: bool


class ParsedQuote(msgspec.Struct, frozen=True, gc=False):
    """A quote; a missing side is 0 with size 0."""

    at_ns: int
    sequence: int
    bid: int
    ask: int
    price_scale: int
    bid_size: int
    ask_size: int
    size_scale: int
    suspect: bool


# None for an event that is no tick. Raises ContractError for one that cannot be read.
Parser = Callable[[bytes], ParsedTrade | ParsedQuote | None]
