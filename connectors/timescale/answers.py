"""What queries return, one class a question."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import msgspec


class Candle(msgspec.Struct, frozen=True):
    """Trades of one bucket, suspect ones left out; `vwap` is None if the volume is 0."""

    bucket: datetime
    instrument: str
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    notional: Decimal
    trades: int
    vwap: Decimal | None


class Decision(msgspec.Struct, frozen=True):
    """A strategy's decision and what became of it: `outcome` is None while nothing has."""

    at: datetime
    log_partition: int
    log_offset: int
    strategy: str
    portfolio: str
    instrument: str
    side: str
    quantity: Decimal | None
    confidence: Decimal
    evidence: dict[str, str]
    outcome: str | None
    reason: str | None


class Order(msgspec.Struct, frozen=True):
    """An intent, approved or not, and its execution, if there is one."""

    at: datetime
    log_partition: int
    log_offset: int
    strategy: str
    portfolio: str
    instrument: str
    side: str | None
    quantity: Decimal | None
    verdict: str
    client_order: str | None
    outcome: str | None
    price: Decimal | None
    price_from: str | None
    reason: str | None
    simulated: bool | None


class Holding(msgspec.Struct, frozen=True):
    """The last known position of a strategy in an instrument."""

    at: datetime
    portfolio: str
    strategy: str
    instrument: str
    quantity: Decimal | None
    average_price: Decimal | None
    realised: Decimal
    unrealised: Decimal | None
    mark: Decimal | None
