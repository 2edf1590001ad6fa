"""Massive's session: greeting, authentication, subscription, acknowledgements, liveness.

Rules as the venue's SDKs and its live behaviour show them (massive-com/client-python, client-go).
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from pydantic import SecretStr

from hadron.venues.massive import frames
from hadron.venues.massive.split import Status, split
from hadron.venues.protocol import (
    Action,
    Close,
    Moved,
    Noted,
    Phase,
    Publish,
    Refused,
    Send,
    Stop,
    Wait,
    refused_opening,
)

S = 1_000_000_000
# Another connection of the account was opened; coming back at once would evict it in turn, for
# ever.
EVICTED_WAIT_S = 60.0
POLICY_VIOLATION = 1008  # the close code that follows `max_connections`


class Deadlines(msgspec.Struct, frozen=True):
    """How long to wait, in seconds. Silence is of the socket: a market may be quiet all night."""

    step_s: float = 10.0  # for the greeting, and for the answer to the key
    ack_s: float = 10.0
    stale_s: float = 30.0


class MassiveProtocol:
    """Meets VenueProtocol. `topics` are `CODE.TICKER`; the key is unwrapped in the auth frame only.

    A topic refused by name is not asked for again. One without acknowledgement (an unknown code is
    ignored in silence) is reported as refused, and asked for again by the next connection.
    """

    def __init__(
        self, key: SecretStr, topics: Sequence[str], deadlines: Deadlines | None = None
    ) -> None:
        self._key = key
        self._topics = list(dict.fromkeys(topics))
        self._deadlines = deadlines or Deadlines()
        self._phase = Phase.CLOSED
        self._pending: set[str] = set()
        self._due_ns = 0  # when the greeting, the answer or the acknowledgements are due
        self._heard_ns = 0
        self._evicted = False

    def opened(self, now_ns: int) -> Sequence[Action]:
        """Wait for the greeting."""
        self._heard_ns = now_ns
        self._evicted = False
        return [self._move(Phase.OPEN, now_ns + self._after(self._deadlines.step_s))]

    def received(self, frame: bytes, now_ns: int) -> Sequence[Action]:
        """Publish events; follow statuses."""
        self._heard_ns = now_ns
        elements, statuses = split(frame)
        if not statuses and self._phase is Phase.LIVE:
            return [Publish(elements)] if elements else []
        actions: list[Action] = []
        for status in statuses:
            actions += self._status(status, now_ns)
        if elements:
            actions.append(Publish(elements))
            if self._phase is Phase.SUBSCRIBING:
                actions.append(self._move(Phase.LIVE, self._due_ns))  # data may overtake the acks
        return actions

    def heard(self, now_ns: int) -> Sequence[Action]:
        """An answered ping is life: outside of market hours there is no data."""
        self._heard_ns = now_ns
        return []

    def paused(self, now_ns: int) -> None:
        """The silence until now was ours."""
        self._heard_ns = now_ns

    def passed(self, now_ns: int) -> Sequence[Action]:
        """Close what is silent or late; give up on topics that nobody acknowledged."""
        if self._phase is Phase.CLOSED:
            return []
        silent_ns = now_ns - self._heard_ns
        if silent_ns >= self._after(self._deadlines.stale_s):
            return [Close(f"silent for {silent_ns / S:.1f} s", stale=True)]
        if not self._due_ns or now_ns < self._due_ns:
            return []
        if self._phase in (Phase.OPEN, Phase.AUTHENTICATING):
            return [Close(f"no progress while {self._phase.value}")]
        self._due_ns = 0
        late, self._pending = sorted(self._pending), set()
        return [Refused(topic, "not acknowledged") for topic in late]

    def closed(self, code: int, reason: str, now_ns: int) -> Sequence[Action]:
        """Begin anew with the next connection."""
        evicted = code == POLICY_VIOLATION and not self._evicted
        actions: list[Action] = refused_opening(code)
        if evicted:
            actions.append(Wait(EVICTED_WAIT_S, "evicted: closed with code 1008"))
        self._pending.clear()
        return [*actions, self._move(Phase.CLOSED, 0)]

    def _status(self, status: Status, now_ns: int) -> Sequence[Action]:
        message = self._without_key(status.message.strip())
        match status.status:
            case "connected":
                due_ns = now_ns + self._after(self._deadlines.step_s)
                return [Send(frames.auth(self._key)), self._move(Phase.AUTHENTICATING, due_ns)]
            case "auth_success":
                return self._subscribe(now_ns)
            case "success":
                return self._acknowledged(message)
            case "auth_failed":
                return [Stop(f"authentication failed: {message}")]
            case "auth_timeout":
                return [Close("the venue says that no key came in time")]
            case "max_connections":
                self._evicted = True
                return [Wait(EVICTED_WAIT_S, f"evicted: {message}"), Close("evicted")]
            case "error":
                return self._refused(message)
        return [Noted(f"unknown status {status.status!r}: {message}")]

    def _subscribe(self, now_ns: int) -> Sequence[Action]:
        self._pending = set(self._topics)
        due_ns = now_ns + self._after(self._deadlines.ack_s)
        asked = [Send(frames.subscribe(self._topics))] if self._topics else []
        return [*asked, self._move(Phase.SUBSCRIBING, due_ns)]

    def _acknowledged(self, message: str) -> Sequence[Action]:
        verb, _, topics = message.partition(": ")
        if verb != "subscribed to":
            return []
        self._pending.difference_update(topics.split(","))
        if not self._pending:
            self._due_ns = 0
        return [] if self._phase is Phase.LIVE else [self._move(Phase.LIVE, self._due_ns)]

    def _refused(self, message: str) -> Sequence[Action]:
        """The venue seldom names the topic; then the missing acknowledgement will."""
        words = set(message.replace(",", " ").replace(":", " ").split())
        named = words.intersection(self._topics)
        if not named and len(self._pending) == 1:
            named = set(self._pending)
        if not named:
            return [Noted(f"the venue refused a topic without naming it: {message}")]
        self._topics = [topic for topic in self._topics if topic not in named]
        self._pending -= named
        return [Refused(topic, message) for topic in sorted(named)]

    def _move(self, phase: Phase, due_ns: int) -> Moved:
        self._phase = phase
        self._due_ns = due_ns
        return Moved(phase)

    def _after(self, seconds: float) -> int:
        return int(seconds * S)

    def _without_key(self, message: str) -> str:
        secret = self._key.get_secret_value()
        return message.replace(secret, "***") if secret else message
