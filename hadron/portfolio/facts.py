"""What is held."""

from __future__ import annotations

from decimal import Decimal

import msgspec


class PositionChanged(msgspec.Struct, frozen=True):
    """The position of one strategy in one instrument after a fill or a new mark."""

    source: str  # the fill or the mark
    partition: int
    offset: int
    index: int
    portfolio: str
    strategy: str
    instrument: str
    at_ns: int
    quantity: Decimal  # below zero is short
    average_price: Decimal | None  # None when flat
    realised: Decimal
    unrealised: Decimal | None  # None while no price is known
    mark: Decimal | None
