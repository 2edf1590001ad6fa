"""The generated market: the same for the same draws, in order, and never absurd."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from itertools import islice, pairwise

from hadron.simulation.market import market
from hadron.simulation.played import Played
from hadron.venues.massive.parse import parse
from hadron.venues.parsed import ParsedQuote, ParsedTrade

START_MS = 1_700_000_000_000


def some(number: int, *symbols: str, seed: int = 7) -> Iterator[Played]:
    """The first events of a market."""
    draw = random.Random(seed).random
    return islice(market(symbols or ("A", "B", "C"), draw, start_ms=START_MS), number)


def test_the_same_draws_give_the_same_bytes() -> None:
    assert list(some(500)) == list(some(500))
    assert list(some(500)) != list(some(500, seed=8))


def test_times_never_run_backwards_and_sequences_grow_per_symbol() -> None:
    events = list(some(2000))

    assert all(one.at_ms <= other.at_ms for one, other in pairwise(events))
    last: dict[str, int] = {}
    for event in events:
        tick = parse(event.element)
        assert tick is not None
        assert tick.sequence > last.get(event.symbol, 0)
        last[event.symbol] = tick.sequence


def test_trades_print_at_the_bid_or_the_ask_and_quotes_never_cross() -> None:
    quotes: dict[str, ParsedQuote] = {}
    prints = 0
    for event in some(5000):
        tick = parse(event.element)
        if isinstance(tick, ParsedQuote):
            assert 0 < tick.bid < tick.ask
            assert not tick.suspect
            quotes[event.symbol] = tick
        elif isinstance(tick, ParsedTrade) and event.symbol in quotes:
            quote = quotes[event.symbol]
            assert tick.price in (quote.bid, quote.ask)
            prints += 1
    assert prints > 500


def test_earlier_symbols_are_busier() -> None:
    events = Counter(event.symbol for event in some(3000))

    assert events["A"] > events["B"] > events["C"] > 0


def test_arrivals_have_the_rate_that_was_asked_for() -> None:
    *_, last = some(5000)

    assert 22_000 < last.at_ms - START_MS < 28_000  # 5000 at 200/s are 25 s


def test_a_market_of_no_symbols_is_empty() -> None:
    assert list(market([], lambda: 0.5, start_ms=0)) == []
