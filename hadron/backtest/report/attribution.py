"""Who earned what: the money of a backtest by strategy and instrument."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal

import msgspec

from hadron.backtest.results import Fill, RoundTrip
from hadron.portfolio.facts import PositionChanged
from hadron.portfolio.money import exactly

ZERO = Decimal(0)
Key = tuple[str, str, str]  # portfolio, strategy, instrument


class Share(msgspec.Struct, frozen=True):
    """What one strategy did in one instrument for one portfolio. Money is exact."""

    portfolio: str
    strategy: str
    instrument: str
    net: Decimal  # realised + unrealised - fees
    realised: Decimal
    unrealised: Decimal  # of what is still held, at its last mark
    fees: Decimal
    notional: Decimal  # all that was traded
    fills: int
    trades: int  # closed ones
    hits: int  # of them with a profit after fees


class Worth(msgspec.Struct, frozen=True):
    """The profit of a position before fees, made and open."""

    realised: Decimal = ZERO
    unrealised: Decimal = ZERO


def worths(positions: Iterable[PositionChanged]) -> dict[Key, Worth]:
    """By what was said last; a position that no price is known of is worth what it cost."""
    return {key(one): Worth(one.realised, one.unrealised or ZERO) for one in positions}


def attribution(
    fills: Iterable[Fill], trades: Iterable[RoundTrip], worths: Mapping[Key, Worth]
) -> list[Share]:
    """A share for whoever traded, the best first."""
    by_key: defaultdict[Key, list[Fill]] = defaultdict(list)
    for fill in fills:
        by_key[key(fill)].append(fill)
    closed: defaultdict[Key, list[RoundTrip]] = defaultdict(list)
    for trade in trades:
        closed[key(trade)].append(trade)
    shares = [_share(one, by_key[one], closed[one], worths.get(one, Worth())) for one in by_key]
    return sorted(shares, key=lambda share: (-share.net, key(share)))


def key(of: Fill | RoundTrip | PositionChanged | Share) -> Key:
    """Whose it is."""
    return of.portfolio, of.strategy, of.instrument


def _share(
    whose: Key,
    fills: Sequence[Fill],
    trades: Sequence[RoundTrip],
    worth: Worth,
) -> Share:
    with exactly():
        fees = _sum(fills, lambda fill: fill.fee)
        return Share(
            *whose,
            net=worth.realised + worth.unrealised - fees,
            realised=worth.realised,
            unrealised=worth.unrealised,
            fees=fees,
            notional=_sum(fills, lambda fill: fill.quantity * fill.price),
            fills=len(fills),
            trades=len(trades),
            hits=sum(trade.net > 0 for trade in trades),
        )


def _sum(fills: Iterable[Fill], of: Callable[[Fill], Decimal]) -> Decimal:
    return sum(map(of, fills), ZERO)
