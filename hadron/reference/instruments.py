"""Instrument ids: `<class>:<symbol>`, stable across venues."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping

# The class of a symbol that nobody listed, by venue. A fixed rule, so that every process and every
# replay derives the same id.
CLASS_OF: Mapping[str, str] = {"massive": "eq", "alpaca": "eq", "coinbase": "crypto"}


def derived_id(venue: str, symbol: str) -> str:
    """The id of a symbol that nobody listed: `eq:AAPL`, `crypto:BTC-USD`, else `venue:SYM`."""
    return f"{CLASS_OF.get(venue, venue)}:{symbol}"


class InstrumentIds:
    """Looks up the id of a venue's symbol; holds at most `capacity` of them in memory."""

    def __init__(self, listed: Mapping[tuple[str, str], str], *, capacity: int = 100_000) -> None:
        self._listed = listed
        self._capacity = capacity
        self._known: OrderedDict[tuple[str, str], str] = OrderedDict()
        self.evicted = 0

    def id_of(self, venue: str, symbol: str) -> str:
        key = (venue, symbol)
        known = self._known.get(key)
        if known is not None:
            self._known.move_to_end(key)
            return known
        found = self._listed.get(key) or derived_id(venue, symbol)
        self._known[key] = found
        if len(self._known) > self._capacity:
            self._known.popitem(last=False)
            self.evicted += 1
        return found

    def __len__(self) -> int:
        return len(self._known)
