"""A market that never was: quotes and trades of some symbols, the same for the same draws."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from math import log

from hadron.simulation.played import Played
from hadron.venues.massive import elements

Draw = Callable[[], float]  # uniform in [0, 1)
CENTS = 100
LOT = 100
TRADE_SHARE = 0.2
# Odds of an event: that the value moves, and that the mid steps; a step goes towards the value
# three times out of four, so that the mid reverts to what itself walks at random.
VALUE_MOVES = 0.05
MID_STEPS = 0.3
TOWARDS_VALUE = 0.75
EXCHANGES = (10, 11, 12, 19)


class _Stock:
    """One symbol's state; every price is a whole number of cents."""

    def __init__(self, symbol: str, draw: Draw, start_ms: int) -> None:
        self.symbol = symbol
        self._draw = draw
        self._value = 2_000 + int(draw() * 48_000)  # 20.00 to 499.99
        self._bid = self._value
        self._spread = 1
        # Above that of a market that began earlier: else its ticks would be late after a restart.
        self._sequence = start_ms

    def event(self, at_ms: int) -> Played:
        """The next quote or trade."""
        self._sequence += 1 + int(self._draw() * 3)  # increasing, not contiguous, as at the venue
        if self._draw() < TRADE_SHARE:
            return self._trade(at_ms)
        self._walk()
        return self._quote(at_ms)

    def _walk(self) -> None:
        draw = self._draw
        if draw() < VALUE_MOVES:
            self._value = max(
                CENTS, self._value + (1 if draw() < 0.5 else -1) * (1 + int(draw() * 4))
            )
        if draw() < MID_STEPS:
            towards = 1 if self._value >= self._bid else -1
            self._bid = max(1, self._bid + (towards if draw() < TOWARDS_VALUE else -towards))
            self._spread = 1 + int(draw() ** 3 * 4)  # mostly one tick, at times up to four

    def _quote(self, at_ms: int) -> Played:
        element = elements.quote(
            self.symbol,
            (_text(self._bid), self._size()),
            (_text(self._bid + self._spread), self._size()),
            at_ms=at_ms,
            sequence=self._sequence,
            exchange=self._exchange(),
        )
        return Played(at_ms, f"Q.{self.symbol}", element)

    def _trade(self, at_ms: int) -> Played:
        """A print at the bid or at the ask."""
        lifted = self._draw() < 0.5
        element = elements.trade(
            self.symbol,
            _text(self._bid + self._spread if lifted else self._bid),
            self._size() if self._draw() < 0.8 else 1 + int(self._draw() * (LOT - 1)),
            at_ms=at_ms,
            sequence=self._sequence,
            exchange=self._exchange(),
        )
        return Played(at_ms, f"T.{self.symbol}", element)

    def _size(self) -> int:
        return LOT * (1 + int(self._draw() ** 4 * 30))

    def _exchange(self) -> int:
        return EXCHANGES[int(self._draw() * len(EXCHANGES))]


def market(
    symbols: Sequence[str], draw: Draw, *, start_ms: int, events_per_s: float = 200.0
) -> Iterator[Played]:
    """Endless events in the order of their times, which never run backwards.

    Arrivals are Poisson; earlier symbols are busier. The same draws give the same bytes.
    """
    stocks = [_Stock(symbol, draw, start_ms) for symbol in symbols]
    shares = list(accumulate(1 / (place + 1) for place in range(len(stocks))))
    elapsed_us = 0
    while stocks:
        elapsed_us += int(-log(1.0 - draw()) / events_per_s * 1_000_000)
        stock = stocks[bisect_right(shares, draw() * shares[-1], hi=len(stocks) - 1)]
        yield stock.event(start_ms + elapsed_us // 1_000)


def _text(cents: int) -> str:
    return f"{cents // CENTS}.{cents % CENTS:02d}"
