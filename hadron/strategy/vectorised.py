"""Strategies on bars: a bar is shown to them as the trade that closed it, or all bars at once."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar, Literal, Protocol, runtime_checkable

import msgspec
import numpy as np
from numpy.typing import NDArray

from hadron.errors import ContractError
from hadron.market.bars import Bars, Floats, Longs
from hadron.market.facts import TradePrinted
from hadron.market.panel import Panel
from hadron.strategy.book import LastPrices
from hadron.strategy.strategy import Signal, Strategy
from hadron.values import number

Sides = NDArray[np.int8]  # for each bar: 1 buy, -1 sell, 0 nothing
NUMBER = {"buy": 1, "sell": -1}


@runtime_checkable
class Vectorised(Protocol):
    """What a strategy offers beside `on_trade`, to be asked about all bars in one call.

    For each bar the answer is what `on_trade` would give at its close, had it taken all bars
    before, from an empty State: so it never looks ahead. Every signal is of the parameter
    `quantity`. A test for each such strategy holds the two selves equal (`tests/bars.py`).
    """

    orders: ClassVar[Literal["market", "limit"]]  # "limit": at the bar's close

    def signals(self, bars: Bars) -> Sides: ...


@runtime_checkable
class Scannable(Vectorised, Protocol):
    """What a strategy offers whose `signals` goes along the last axis only.

    So it answers for the bars of one instrument, or for those of each row of a panel.
    """

    panels: ClassVar[Literal[True]]

    def signals(self, bars: Bars | Panel) -> Sides: ...


class Wishes(msgspec.Struct, frozen=True):
    """What a strategy wanted at the close of each bar, always of one quantity."""

    sides: Sides
    limits: Longs | None  # in the bars' scale; None: at the market


def wishes(kind: type[Strategy], parameters: Any, bars: Bars) -> Wishes:
    """Ask a strategy about bars, all at once if it can answer so, else bar by bar.

    Raise ContractError if, bar by bar, signals are not all of the quantity in its parameters.
    """
    strategy = kind(parameters, kind.State())
    if isinstance(strategy, Vectorised):
        limits = bars.close if strategy.orders == "limit" else None
        return Wishes(strategy.signals(bars), limits)
    return bar_by_bar(kind, parameters, bars)


def bar_by_bar(kind: type[Strategy], parameters: Any, bars: Bars) -> Wishes:
    """The same as `wishes`, by `on_trade` at each close."""
    quantity: Decimal = parameters.quantity
    sides = np.zeros(len(bars), np.int8)
    limits = np.zeros(len(bars), np.int64)
    for place, signal in enumerate(asked(kind, parameters, bars)):
        if signal is None:
            continue
        if signal.quantity != quantity:
            raise ContractError(
                f"{kind.__name__}: bar {place}: quantity is {signal.quantity}; wanted {quantity},"
                " the parameter, of every signal on bars"
            )
        sides[place] = NUMBER[signal.side]
        limits[place] = _mantissa(signal.limit_price, bars) if signal.limit_price else 0
    return Wishes(sides, limits if limits.any() else None)


def asked(kind: type[Strategy], parameters: Any, bars: Bars) -> list[Signal | None]:
    """What `on_trade` says at the close of each bar.

    Bars know no bid and no ask: the close stands for both, and the spread is the fill model's.
    """
    strategy, scale = kind(parameters, kind.State()), bars.scale
    signals = []
    for place, close in enumerate(bars.close.tolist()):
        trade = closing_trade(bars, place)
        book = LastPrices(close, scale, close, scale, close, scale)
        signals.append(strategy.on_trade(trade, book))
    return signals


def closing_trade(bars: Bars, place: int) -> TradePrinted:
    """A bar as the trade that closed it; its size is the bar's volume."""
    ended_ns = int(bars.at_ns[place]) + bars.width_ns
    return TradePrinted(
        instrument=bars.instrument,
        venue="bars",
        raw_partition=0,
        price_scale=bars.scale,
        size_scale=0,
        conditions=(),
        quality="live",
        lane="warm",
        reason="bars",
        raw_offset=place,
        at_ns=ended_ns,
        seen_ns=ended_ns,
        sequence=place + 1,
        price=int(bars.close[place]),
        size=int(bars.volume[place]),
    )


def by_distance(
    bars: Bars | Panel, distances: Longs | Floats, thresholds: Longs | Floats | int
) -> Sides:
    """Sides of the newest bars: where the distance from 0 is its threshold at least, not 0 itself.

    Of bars on the same side, one after the other, only the first has it; of a panel, in each row.
    """
    above, below = distances >= thresholds, distances <= -thresholds
    # Both where distance and threshold are 0.
    return turns(len(bars), above.view(np.int8) - below.view(np.int8))


def turns(length: int, sides: Sides) -> Sides:
    """Keep of the newest bars' sides those that differ from the side before; 0 is no side."""
    width, flat = sides.shape[-1], sides.reshape(-1)
    edges = np.flatnonzero(np.diff(sides, prepend=np.int8(0)))
    edges = edges[flat[edges] != 0]
    found, rows = flat[edges], edges // max(width, 1)
    kept = np.ones(len(edges), bool)
    kept[1:] = (found[1:] != found[:-1]) | (rows[1:] != rows[:-1])
    turned = np.zeros((*sides.shape[:-1], length), np.int8)
    older = length - width  # bars of each row that have no side
    turned.reshape(-1)[(edges + (rows + 1) * older)[kept]] = found[kept]
    return turned


def rolling_sums(sums: Longs, width: int) -> Longs:
    """The sum of each `width` values in a row, exact, of the sums of all values up to each.

    `width - 1` shorter than those, along the last axis.
    """
    rolled = sums[..., width - 1 :].copy()
    rolled[..., 1:] -= sums[..., :-width]
    return rolled


def _mantissa(price: Decimal, bars: Bars) -> int:
    exact = price * bars.unit
    if exact != int(exact):
        raise ContractError(
            f"bars of {bars.instrument}: limit price is {price}; wanted {bars.scale} decimals at"
            f" most, as {number(1, bars.scale)}"
        )
    return int(exact)
