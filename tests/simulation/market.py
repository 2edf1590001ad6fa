"""What goes into a simulated world: raw events, control, and when."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from random import Random
from typing import Any, NamedTuple

from hadron.control.facts import LimitsChanged, TradingHalted
from hadron.partitions import partition_of
from hadron.topics import key_of
from hadron.venues.massive import elements
from tests.support import T0_NS, a_raw, a_strategy, codec, some_rules

PARTITIONS = 3
SYMBOLS = "ABCDEFG"
LANES = {"fast": ["eq:A", "eq:B"], "cold": ["eq:C", "eq:D"]}
EVENTS = 90
LASTS_S = 3.0
HALTED = 3  # the input in which trading is halted from the beginning
INPUTS = 4


class Raw(NamedTuple):
    """One record of raw.massive."""

    at_s: float
    partition: int
    key: str
    value: bytes


def raw_events(number: int) -> list[Raw]:
    """The same for the same number, in the order of their times; two of them are poison."""
    draw = Random(number)
    price = {symbol: draw.randint(5_000, 9_000) for symbol in SYMBOLS}
    times = sorted(draw.uniform(0, LASTS_S) for _ in range(EVENTS))
    return [_raw(draw, price, frame, at_s) for frame, at_s in enumerate(times)]


def _raw(draw: Random, price: dict[str, int], frame: int, at_s: float) -> Raw:
    symbol = draw.choice(SYMBOLS)
    key, at_ms = f"eq:{symbol}", T0_NS // 1_000_000 + int(at_s * 1000)
    price[symbol] += draw.choice((-40, -10, 10, 40))
    cents = price[symbol]
    if draw.random() < 0.7:
        element = elements.trade(
            symbol, _text(cents), 100, at_ms=at_ms, sequence=frame, exchange=10
        )
    else:
        bid, ask = (_text(cents - 1), 100), (_text(cents + 1), 100)
        element = elements.quote(symbol, bid, ask, at_ms=at_ms, sequence=frame, exchange=10)
    raw = a_raw(
        element, symbol=symbol, instrument=key, frame=frame, seen_ns=at_ms * 1_000_000 + 5_000
    )
    value = b"poison" if frame in (EVENTS // 3, EVENTS // 2) else codec().encode(raw)
    return Raw(at_s, partition_of(key, PARTITIONS), key, value)


def control(number: int) -> Iterator[tuple[str, bytes]]:
    """What is on every partition of `control` before anything else."""
    facts: list[Any] = [some_rules(open_position_is_fast=False, **LANES)]
    facts += [
        a_strategy("SimpleSMA", name="sma", portfolio="main"),
        a_strategy(
            "Crossover", name="cross", portfolio="other", parameters={"fast": "1", "slow": "2"}
        ),
    ]
    enough = Decimal(10**9)
    for portfolio in ("main", "other"):
        facts.append(LimitsChanged("ann", "test", T0_NS, 1, portfolio, enough, enough, enough))
    if number == HALTED:
        facts.append(TradingHalted("ann", "test", T0_NS, 1))
    for fact in facts:
        yield key_of(fact), codec().encode(fact)


def _text(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"
