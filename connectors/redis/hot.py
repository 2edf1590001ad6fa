"""The newest of many facts, as the keys that Redis is to have."""

from __future__ import annotations

from typing import Any

import msgspec

from hadron.market.facts import QuoteChanged, TradePrinted
from hadron.portfolio.facts import PositionChanged
from hadron.values import number


class Hot:
    """Conflates facts until they are written: what waits is bounded by the number of keys.

    Suspect ticks make no price. Of two ticks the later counts, of positions the one taken last.
    """

    def __init__(self) -> None:
        self._at_ns: dict[tuple[str, type[Any]], int] = {}
        self._ticks: dict[tuple[str, type[Any]], Any] = {}
        self._positions: dict[str, PositionChanged] = {}

    def take(self, fact: Any) -> None:
        """Add a fact; those of other kinds are passed over."""
        kind = type(fact)
        if kind is PositionChanged:
            self._positions[f"{fact.portfolio}/{fact.strategy}/{fact.instrument}"] = fact
        elif kind in (TradePrinted, QuoteChanged) and fact.quality != "suspect":
            key = (fact.instrument, kind)
            # Lanes of one instrument come in any order.
            if fact.at_ns >= self._at_ns.get(key, fact.at_ns):
                self._at_ns[key] = fact.at_ns
                self._ticks[key] = fact

    def waiting(self) -> tuple[dict[str, dict[str, str]], dict[str, bytes]]:
        """Fields of hashes by key, and documents by key, since `written`."""
        hashes: dict[str, dict[str, str]] = {}
        for (instrument, _), fact in self._ticks.items():
            hashes.setdefault(f"price:{instrument}", {}).update(_fields(fact))
        documents = {
            f"position:{key}": msgspec.json.encode(fact) for key, fact in self._positions.items()
        }
        return hashes, documents

    def written(self) -> None:
        """Forget what `waiting` gave, but not how late it was."""
        self._ticks.clear()
        self._positions.clear()


def is_newest(fact: Any) -> bool:
    """Whether facts of its key before it on the log say nothing about now."""
    a_tick = type(fact) in (TradePrinted, QuoteChanged)
    return not a_tick or fact.quality not in ("suspect", "late")


def _fields(fact: TradePrinted | QuoteChanged) -> dict[str, str]:
    if isinstance(fact, TradePrinted):
        return {
            "last": str(number(fact.price, fact.price_scale)),
            "last_size": str(number(fact.size, fact.size_scale)),
            "last_at_ns": str(fact.at_ns),
            "last_quality": fact.quality,
        }
    return {
        "bid": str(number(fact.bid, fact.price_scale)),
        "ask": str(number(fact.ask, fact.price_scale)),
        "bid_size": str(number(fact.bid_size, fact.size_scale)),
        "ask_size": str(number(fact.ask_size, fact.size_scale)),
        "quote_at_ns": str(fact.at_ns),
        "quote_quality": fact.quality,
    }
