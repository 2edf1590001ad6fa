"""One strategy asked about many instruments at once: which of them have just given a signal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import groupby
from typing import Any

import msgspec
import numpy as np

from hadron.errors import ContractError
from hadron.market.bars import Bars
from hadron.market.panel import Panel
from hadron.strategy.facts import Side
from hadron.strategy.strategy import Strategy
from hadron.strategy.vectorised import Scannable, Sides, wishes
from hadron.values import number

# Numbers of a block, so that its columns stay in a core's own cache.
BLOCK = 2**16
_SIDE: dict[int, Side] = {1: "buy", -1: "sell"}


class Hit(msgspec.Struct, frozen=True):
    """The newest signal of one instrument."""

    instrument: str
    side: Side
    bars_ago: int  # 0: at the newest bar
    at_ns: int  # the end of the signal's bar
    price: Decimal  # its close
    last: Decimal  # the newest close
    turnover: Decimal  # newest close times volume of the newest bar


def scan(
    kind: type[Strategy], parameters: Any, universe: Sequence[Bars], *, within: int = 1
) -> list[Hit]:
    """The instruments whose newest signal came at one of the newest `within` bars.

    The newest signals first, then those with more turnover, then by name. Each is what the strategy
    says of the instrument's bars alone, from an empty State. Instruments with equally many bars are
    asked about together where the strategy is `Scannable`: so give all of them the same number, as
    many as it needs to be warm. Raise ContractError naming an instrument whose bars it refuses.
    """
    if within < 1:
        raise ContractError(f"scan: within is {within}; wanted 1 bar at least")
    hits: list[Hit] = []
    for rows in _blocks(universe):
        recent = _sides(kind, parameters, rows)[:, -within:]
        found = np.flatnonzero(recent.any(axis=1))
        ago = (recent[found, ::-1] != 0).argmax(axis=1)
        hits += map(_hit, [rows[row] for row in found], recent[found, -1 - ago], ago.tolist())
    return sorted(hits, key=lambda hit: (hit.bars_ago, -hit.turnover, hit.instrument))


def _blocks(universe: Sequence[Bars]) -> Iterator[list[Bars]]:
    some = sorted((bars for bars in universe if len(bars)), key=len)
    for length, group in groupby(some, key=len):
        rows, height = list(group), max(1, BLOCK // length)
        yield from (rows[at : at + height] for at in range(0, len(rows), height))


def _sides(kind: type[Strategy], parameters: Any, rows: Sequence[Bars]) -> Sides:
    strategy = kind(parameters, kind.State())
    if isinstance(strategy, Scannable):
        try:
            return strategy.signals(Panel(rows))
        except ContractError:
            pass  # alone, the one that cannot be asked about says so
    return np.stack([_alone(kind, parameters, bars) for bars in rows])


def _alone(kind: type[Strategy], parameters: Any, bars: Bars) -> Sides:
    try:
        return wishes(kind, parameters, bars).sides
    except ContractError as error:
        raise ContractError(f"{kind.__name__} on {bars.instrument}: {error}") from error


def _hit(bars: Bars, side: int, ago: int) -> Hit:
    last = number(int(bars.close[-1]), bars.scale)
    return Hit(
        instrument=bars.instrument,
        side=_SIDE[int(side)],
        bars_ago=ago,
        at_ns=int(bars.at_ns[-1 - ago]) + bars.width_ns,
        price=number(int(bars.close[-1 - ago]), bars.scale),
        last=last,
        turnover=last * int(bars.volume[-1]),
    )
