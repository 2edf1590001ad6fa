"""Coinbase's public session: subscriptions, sequence over all channels, heartbeats."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from hadron.venues.coinbase import frames
from hadron.venues.coinbase.split import Envelope, Splitter, envelope
from hadron.venues.protocol import (
    UNREADABLE,
    Action,
    Close,
    Element,
    Moved,
    Noted,
    Phase,
    Publish,
    Refused,
    Send,
    refused_opening,
)

S = 1_000_000_000


class Deadlines(msgspec.Struct, frozen=True):
    """How long to wait, in seconds. A heartbeat comes each second, so silence is death."""

    ack_s: float = 10.0
    stale_s: float = 10.0


class CoinbaseProtocol:
    """Meets VenueProtocol, for `market_trades` and `ticker` of some products.

    `sequence_num` grows by one per connection over all channels: a gap means that something of an
    unknown channel is lost, so the connection is closed; the next one starts afresh.
    """

    def __init__(self, products: Sequence[str], deadlines: Deadlines | None = None) -> None:
        self._products = list(dict.fromkeys(products))
        self._deadlines = deadlines or Deadlines()
        self._splitter = Splitter()
        self._phase = Phase.CLOSED
        self._pending: set[str] = set()
        self._due_ns = 0
        self._heard_ns = 0
        self._next = -1  # the sequence number to come; -1 before the first

    def opened(self, now_ns: int) -> Sequence[Action]:
        """Subscribe at once: the venue closes what has not within 5 s."""
        self._heard_ns = now_ns
        self._next = -1
        self._pending = set(frames.CHANNELS)
        self._due_ns = now_ns + int(self._deadlines.ack_s * S)
        asked = [Send(frames.subscribe(channel, self._products)) for channel in frames.CHANNELS]
        return [*asked, self._move(Phase.SUBSCRIBING)]

    def received(self, frame: bytes, now_ns: int) -> Sequence[Action]:
        """Publish trades and tickers; check the sequence."""
        self._heard_ns = now_ns
        if self._phase is Phase.CLOSED:
            return []
        read = envelope(frame)
        if read is not None and read.type == "error":
            return [Noted(f"the venue says: {read.message}")]
        if read is None or read.sequence_num < 0:
            return [Publish([Element(UNREADABLE, frame, 0)])]
        wanted, seen = self._next, read.sequence_num
        if seen < wanted:
            return []  # a repeated frame, or one that comes out of order
        self._next = seen + 1
        return [*self._data(read), *self._gap(wanted, seen)]

    def heard(self, now_ns: int) -> Sequence[Action]:
        """An answered ping proves nothing here: heartbeats must come."""
        return []

    def paused(self, now_ns: int) -> None:
        """The silence until now was ours."""
        self._heard_ns = now_ns

    def passed(self, now_ns: int) -> Sequence[Action]:
        """Close what is silent; give up on channels that nobody acknowledged."""
        if self._phase is Phase.CLOSED:
            return []
        silent_ns = now_ns - self._heard_ns
        if silent_ns >= int(self._deadlines.stale_s * S):
            return [Close(f"no heartbeat for {silent_ns / S:.1f} s", stale=True)]
        if not self._pending or now_ns < self._due_ns:
            return []
        late, self._pending = sorted(self._pending), set()
        return [Refused(channel, "not acknowledged") for channel in late]

    def closed(self, code: int, reason: str, now_ns: int) -> Sequence[Action]:
        """Begin anew with the next connection."""
        self._pending = set()
        return [*refused_opening(code), self._move(Phase.CLOSED)]

    def _data(self, read: Envelope) -> Sequence[Action]:
        for event in read.events:
            self._pending.difference_update(event.subscriptions)
        elements = self._splitter.split(read.events)
        actions: list[Action] = [Publish(elements)] if elements else []
        if self._phase is Phase.SUBSCRIBING and (elements or read.channel == "subscriptions"):
            actions.append(self._move(Phase.LIVE))
        return actions

    @staticmethod
    def _gap(wanted: int, seen: int) -> Sequence[Action]:
        return [Close(f"sequence gap: {wanted} wanted, {seen} came")] if 0 <= wanted < seen else []

    def _move(self, phase: Phase) -> Moved:
        self._phase = phase
        return Moved(phase)
