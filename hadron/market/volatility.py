"""Whether the price of an instrument has moved far within a short time."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field

from hadron.market.alignment import FITS, fits
from hadron.market.rules import Rules


@dataclass(slots=True)
class Range:
    """The trades of a sliding window that may still be its lowest or highest, oldest first.

    Both lists are strictly monotone in price, so they are as long as the prices that the window
    saw, not as its trades. Memory: a monotonic queue (Knuth, TAOCP 2.2.1, output-restricted deque).
    """

    scale: int = 0
    rising: list[tuple[int, int]] = field(default_factory=list)  # (at_ns, price); first is lowest
    falling: list[tuple[int, int]] = field(default_factory=list)  # first is highest
    volatile_until_ns: int = 0


def observe(seen: Range, at_ns: int, price: int, scale: int, rules: Rules) -> None:
    """Take a trade, not older than those before it.

    If it lies `volatile_bps` or more from the lowest or the highest price of the window before it,
    relative to that price, the instrument is volatile from now until a window later.
    """
    limit_bps, window_ns = rules.volatile_bps, rules.volatile_window_ns
    if not 0 < price < FITS:
        return
    if scale != seen.scale:
        price = _aligned(seen, price, scale)
    rising, falling = seen.rising, seen.falling
    _forget(rising, at_ns - window_ns)
    _forget(falling, at_ns - window_ns)
    while rising and rising[-1][1] >= price:
        rising.pop()
    rising.append((at_ns, price))
    while falling and falling[-1][1] <= price:
        falling.pop()
    falling.append((at_ns, price))
    lowest, highest = rising[0][1], falling[0][1]
    if (price - lowest) * 10_000 >= limit_bps * lowest or (
        (highest - price) * 10_000 >= limit_bps * highest
    ):
        seen.volatile_until_ns = at_ns + window_ns


def _forget(trades: list[tuple[int, int]], before_ns: int) -> None:
    if trades and trades[0][0] < before_ns:
        del trades[: bisect_right(trades, before_ns - 1, key=_at_ns)]


def _at_ns(trade: tuple[int, int]) -> int:
    return trade[0]


def _aligned(seen: Range, price: int, scale: int) -> int:
    """The price with the scale of the window, which grows to the finest that it met."""
    more = scale - seen.scale
    if more < 0 and fits(price, -more):
        return price * int(10**-more)
    highest = seen.falling[0][1] if seen.falling else 0
    if more > 0 and fits(highest, more):
        seen.rising = [(at_ns, known * 10**more) for at_ns, known in seen.rising]
        seen.falling = [(at_ns, known * 10**more) for at_ns, known in seen.falling]
    else:  # prices so different cannot be held together: begin anew
        seen.rising, seen.falling = [], []
    seen.scale = scale
    return price
