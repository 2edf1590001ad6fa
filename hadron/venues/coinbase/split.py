"""A frame of Coinbase into its trades and tickers, their bytes untouched."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import Raw, Struct

from hadron.venues.protocol import UNREADABLE, Element


class Event(Struct, gc=False):
    """One of the events in an envelope; the list that its channel fills."""

    type: str = ""
    trades: list[Raw] = []
    tickers: list[Raw] = []
    subscriptions: dict[str, list[str]] = {}


class Envelope(Struct):
    """What is around the events. An error has `type` and `message` and nothing else."""

    channel: str = ""
    type: str = ""
    message: str = ""
    sequence_num: int = -1
    events: list[Event] = []


class _Head(Struct, gc=False):
    product_id: str = UNREADABLE
    trade_id: str = ""


_envelope = msgspec.json.Decoder(Envelope).decode
_head = msgspec.json.Decoder(_Head).decode
_CANNOT_READ = (msgspec.MsgspecError, UnicodeDecodeError)


def envelope(frame: bytes) -> Envelope | None:
    """None if the frame cannot be read."""
    try:
        return _envelope(frame)
    except _CANNOT_READ:
        return None


class Splitter:
    """Cuts envelopes into elements, and remembers the last trade of each product.

    Each subscription begins with a snapshot of recent trades, newest first. It fills the hole that
    a reconnection tore: what was published before is left out, and the rest comes oldest first.
    """

    def __init__(self) -> None:
        self._last: dict[str, int] = {}

    def split(self, events: Sequence[Event]) -> list[Element]:
        """One element per trade and ticker; `index` is its place in the frame.

        One without a product that can be read has the symbol UNREADABLE.
        """
        elements: list[Element] = []
        place = 0
        for event in events:
            trades = [self._trade(raw, place + n) for n, raw in enumerate(event.trades)]
            place += len(trades)
            if event.type == "snapshot":
                trades = self._unseen(trades)
            for number, element in trades:
                elements.append(element)
                self._last[element.symbol] = max(number, self._last.get(element.symbol, -1))
            elements += [self._ticker(raw, place + n) for n, raw in enumerate(event.tickers)]
            place += len(event.tickers)
        return elements

    def _unseen(self, trades: list[tuple[int, Element]]) -> list[tuple[int, Element]]:
        """Those after the last one; and those without a number, so that they are seen at all."""
        fresh = [
            (number, element)
            for number, element in trades
            if number < 0 or number > self._last.get(element.symbol, -1)
        ]
        return sorted(fresh, key=lambda trade: trade[0])

    @staticmethod
    def _trade(raw: Raw, place: int) -> tuple[int, Element]:
        payload = bytes(raw)
        try:
            head = _head(payload)
        except _CANNOT_READ:
            return -1, Element(UNREADABLE, payload, place)
        known = head.trade_id.isascii() and head.trade_id.isdigit()
        number = int(head.trade_id) if known and len(head.trade_id) < 20 else -1
        return number, Element(head.product_id, payload, place)

    @staticmethod
    def _ticker(raw: Raw, place: int) -> Element:
        payload = bytes(raw)
        try:
            return Element(_head(payload).product_id, payload, place)
        except _CANNOT_READ:
            return Element(UNREADABLE, payload, place)
