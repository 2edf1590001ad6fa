"""Bars made of trades."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import numpy as np

from hadron.errors import ContractError
from hadron.market.alignment import fits
from hadron.market.bars import Bars

Row = list[int]  # begin, open, high, low, close, volume


class Print(Protocol):
    """What a bar needs to know of a trade; a ParsedTrade or a TradePrinted is one."""

    @property
    def at_ns(self) -> int: ...
    @property
    def price(self) -> int: ...
    @property
    def price_scale(self) -> int: ...
    @property
    def size(self) -> int: ...
    @property
    def size_scale(self) -> int: ...


def bars_of(instrument: str, trades: Iterable[Print], *, width_ns: int) -> Bars:
    """Bars of trades of one instrument, given in the order of their times without suspect ones.

    Prices that are not above 0 are left out. A volume that is no whole number is rounded down.
    Raise ContractError if prices of different scales cannot be held together.
    """
    kept = [trade for trade in trades if trade.price > 0]
    scale = max((trade.price_scale for trade in kept), default=0)
    size_scale = max((trade.size_scale for trade in kept), default=0)
    rows: list[Row] = []
    for trade in kept:
        begin_ns = trade.at_ns - trade.at_ns % width_ns
        price = _scaled(instrument, trade, scale)
        size = trade.size * 10 ** (size_scale - trade.size_scale)
        if rows and rows[-1][0] == begin_ns:
            _add(rows[-1], price, size)
        else:
            rows.append([begin_ns, price, price, price, price, size])
    columns = np.array(rows, np.int64).reshape(-1, 6).T.copy()
    begins, opening, high, low, close, sizes = columns
    return Bars(
        instrument, scale, width_ns, begins, opening, high, low, close, sizes // 10**size_scale
    )


def _add(row: Row, price: int, size: int) -> None:
    row[2], row[3] = max(row[2], price), min(row[3], price)
    row[4] = price
    row[5] += size


def _scaled(instrument: str, trade: Print, scale: int) -> int:
    more = scale - trade.price_scale
    if not fits(trade.price, more):
        raise ContractError(
            f"bars of {instrument}: price {trade.price} with {trade.price_scale} decimals cannot"
            f" be written with {scale}"
        )
    return int(trade.price * 10**more)
