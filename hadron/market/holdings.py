"""Who holds which instrument, as far as one shard knows."""

from __future__ import annotations

import msgspec

from hadron.portfolio.facts import PositionChanged

PREFIX = "held/"
_encode = msgspec.msgpack.encode
_decode = msgspec.msgpack.Decoder(set[str]).decode


class Holdings:
    """A part of a fold's state: `held/<instrument>` in its snapshot."""

    def __init__(self) -> None:
        self._holders: dict[str, set[str]] = {}
        self._touched: set[str] = set()

    def holds(self, instrument: str) -> bool:
        """Whether any strategy of any portfolio has a position, long or short."""
        return instrument in self._holders

    def follow(self, position: PositionChanged) -> bool:
        """Take a position. True if this changed whether the instrument is held."""
        instrument = position.instrument
        before = self._holders.get(instrument) or set()
        who = f"{position.portfolio}/{position.strategy}"
        if (who in before) == bool(position.quantity):
            return False
        after = before ^ {who}
        self._touched.add(instrument)
        if after:
            self._holders[instrument] = after
        else:
            del self._holders[instrument]
        return bool(before) != bool(after)

    def snapshot(self) -> list[tuple[str, bytes]]:
        """The instruments whose holders changed since the last call; empty if none is left."""
        parts = [(PREFIX + name, self._part(name)) for name in sorted(self._touched)]
        self._touched.clear()
        return parts

    def restore(self, name: str, value: bytes) -> None:
        """Take one part, by its name in the snapshot."""
        instrument = name.removeprefix(PREFIX)
        if value:
            self._holders[instrument] = _decode(value)
        else:
            self._holders.pop(instrument, None)

    def _part(self, instrument: str) -> bytes:
        holders = self._holders.get(instrument)
        return _encode(sorted(holders)) if holders else b""
