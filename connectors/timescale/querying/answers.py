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
    """An intent, approved or not, and its execution; `outcome` is None while it is in flight."""

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
    filled: Decimal | None
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


class Exposure(msgspec.Struct, frozen=True):
    """What a portfolio has at risk, and the limits in force; those are None where none were set.

    `gross` and `net` are at marks, and at cost for the `unmarked` of its open positions.
    """

    portfolio: str
    positions: int
    unmarked: int
    gross: Decimal
    net: Decimal
    realised: Decimal
    unrealised: Decimal | None
    exposure_limit: Decimal | None
    notional_limit: Decimal | None
    position_limit: Decimal | None
    halted: bool


class Slippage(msgspec.Struct, frozen=True):
    """A fill against the price to be had at its decision; above zero is worse.

    None where no price was known then. `slippage_bps` are basis points of `touch`, 8 decimals.
    """

    at: datetime
    log_partition: int
    log_offset: int
    client_order: str
    strategy: str
    portfolio: str
    instrument: str
    side: str
    quantity: Decimal | None
    price: Decimal | None
    touch: Decimal | None
    touch_from: str | None
    slippage: Decimal | None
    slippage_bps: Decimal | None
    simulated: bool


class Gap(msgspec.Struct, frozen=True):
    """A tick before which some may be missing, and the silence since the one `after` which."""

    at: datetime
    log_partition: int
    log_offset: int
    instrument: str
    venue: str
    after: datetime | None
    silent_ns: int | None


class Alert(msgspec.Struct, frozen=True):
    """What people should see, and when it was over; `cleared_at` is None while it is not."""

    at: datetime
    log_partition: int
    log_offset: int
    severity: str
    process: str
    subject: str
    text: str
    cleared_at: datetime | None


class Lag(msgspec.Struct, frozen=True):
    """Ticks of an instrument by quality, and from the venue's time to our receipt."""

    instrument: str
    ticks: int
    gaps: int
    late: int
    stale: int
    suspect: int
    lag_p50_ns: int
    lag_p95_ns: int
    lag_p99_ns: int
    lag_max_ns: int
