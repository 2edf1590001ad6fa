"""What instruments there are."""

from __future__ import annotations

import msgspec


class InstrumentListed(msgspec.Struct, frozen=True):
    """A venue's symbol and the id that Hadron calls it by. Compacted by venue and symbol."""

    venue: str
    symbol: str
    instrument: str
    at_ns: int
