"""One shape for every venue's session: what happened goes in with its time, what to do comes out.

A protocol owns no socket and reads no clock. The driver calls one method per thing that happened
and carries out the actions in their order.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Protocol

import msgspec

# The symbol of what arrived and cannot be read. It goes on the log like all else, so that
# normalize dead-letters it where people see it.
UNREADABLE = "?"
# A code of `closed` that says: the venue answered the opening with this HTTP status.
HTTP_REFUSALS = (401, 403)
CLOSED_ABNORMALLY = 1006  # RFC 6455, 7.4.1: no close frame was seen


class Phase(Enum):
    """Where a session is. LIVE means proven: the venue acknowledged a topic or sent data."""

    CLOSED = "closed"
    OPEN = "open"
    AUTHENTICATING = "authenticating"
    SUBSCRIBING = "subscribing"
    LIVE = "live"


class Element(msgspec.Struct, frozen=True, gc=False):
    """One event of a frame: its bytes, untouched, and its place among the frame's events."""

    symbol: str
    payload: bytes
    index: int


class Send(msgspec.Struct, frozen=True):
    """Send this frame. Its text never shows: it may hold a key."""

    frame: bytes

    def __repr__(self) -> str:
        return f"Send({len(self.frame)} bytes)"


class Publish(msgspec.Struct, frozen=True):
    """Append these events to the log."""

    elements: Sequence[Element]


class Close(msgspec.Struct, frozen=True):
    """Close the connection and connect again. `stale` says that the venue fell silent."""

    reason: str
    stale: bool = False


class Stop(msgspec.Struct, frozen=True):
    """Close; trying again cannot help until an operator mends what the reason says."""

    reason: str


class Wait(msgspec.Struct, frozen=True):
    """Wait at least so long before the next connection."""

    seconds: float
    reason: str


class Moved(msgspec.Struct, frozen=True):
    """The session is in another phase; LIVE is what resets the back-off."""

    phase: Phase


class Refused(msgspec.Struct, frozen=True):
    """The venue will not send this topic on this connection; the others go on."""

    topic: str
    reason: str


class Noted(msgspec.Struct, frozen=True):
    """Something odd, for the log of the people on call."""

    message: str


Action = Send | Publish | Close | Stop | Wait | Moved | Refused | Noted


class VenueProtocol(Protocol):
    """A session with one venue that outlives its connections. Times are ns since the epoch."""

    def opened(self, now_ns: int) -> Sequence[Action]:
        """A connection stands; subscriptions start from nothing."""

    def received(self, frame: bytes, now_ns: int) -> Sequence[Action]:
        """A data frame arrived. Never raises, whatever it holds."""

    def heard(self, now_ns: int) -> Sequence[Action]:
        """The venue answered a ping."""

    def paused(self, now_ns: int) -> None:
        """Until now we did not read: the silence was ours."""

    def passed(self, now_ns: int) -> Sequence[Action]:
        """Time passed; call it a few times a second."""

    def closed(self, code: int, reason: str, now_ns: int) -> Sequence[Action]:
        """The connection ended, or was refused with an HTTP status as its code."""


def refused_opening(code: int) -> list[Action]:
    """Stop if the venue refused the opening for good."""
    return [Stop(f"refused with HTTP status {code}")] if code in HTTP_REFUSALS else []
