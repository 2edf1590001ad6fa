"""The other side of Massive's session, for the simulator: one per connection, without I/O."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec
from pydantic import SecretStr

# A topic of another code gets neither acknowledgement nor error, as at the venue.
CODES = frozenset({"T", "Q", "A", "AM", "LULD", "NOI", "FMV"})
EVICTED_CODE = 1008


class _Asked(msgspec.Struct):
    action: str
    params: str


class Reply(msgspec.Struct, frozen=True):
    """Frames to send, and whether to cut the connection after them, with no close frame."""

    frames: Sequence[bytes] = ()
    cut: bool = False


_read = msgspec.json.Decoder(_Asked).decode


def status_frame(*statuses: tuple[str, str]) -> bytes:
    """One frame of (status, message) pairs."""
    return msgspec.json.encode(
        [{"ev": "status", "status": status, "message": message} for status, message in statuses]
    )


GREETING = status_frame(("connected", "Connected Successfully"))
EVICTION = status_frame(
    ("max_connections", "Maximum number of websocket connections exceeded. ")  # the space is theirs
)


class MassiveServer:
    """Answers one client. Without a key, any key is right; `unentitled` are topic codes."""

    def __init__(self, key: SecretStr | None, unentitled: Collection[str] = ()) -> None:
        self._key = key
        self._unentitled = frozenset(unentitled)
        self.authenticated = False
        self.topics: set[str] = set()

    def wants(self, topic: str) -> bool:
        """Whether the client has subscribed to `CODE.TICKER`, by name or by `CODE.*`."""
        return topic in self.topics or f"{topic.partition('.')[0]}.*" in self.topics

    def received(self, frame: bytes) -> Reply:
        """What to answer; nothing to what cannot be read."""
        try:
            asked = _read(frame)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return Reply()
        if asked.action == "auth":
            return self._authenticate(asked.params)
        if not self.authenticated:
            return Reply([status_frame(("error", "not authorized"))])
        topics = [topic for topic in asked.params.split(",") if topic.partition(".")[0] in CODES]
        if asked.action == "subscribe":
            return self._subscribe(topics)
        return self._unsubscribe(topics) if asked.action == "unsubscribe" else Reply()

    def refuse(self) -> Reply:
        """Turn the client away as if its key were wrong."""
        return Reply([status_frame(("auth_failed", "authentication failed"))], cut=True)

    def _authenticate(self, key: str) -> Reply:
        if self._key is not None and key != self._key.get_secret_value():
            return self.refuse()
        self.authenticated = True
        return Reply([status_frame(("auth_success", "authenticated"))])

    def _subscribe(self, topics: Sequence[str]) -> Reply:
        statuses: list[tuple[str, str]] = []
        for topic in topics:
            if topic.partition(".")[0] in self._unentitled:
                statuses.append(("error", "not authorized"))
            elif topic not in self.topics:  # a repeated subscription gets no acknowledgement
                self.topics.add(topic)
                statuses.append(("success", f"subscribed to: {topic}"))
        return Reply([status_frame(*statuses)] if statuses else ())

    def _unsubscribe(self, topics: Sequence[str]) -> Reply:
        gone = [topic for topic in topics if topic in self.topics]
        self.topics.difference_update(gone)
        statuses = [("success", f"unsubscribed to: {topic}") for topic in gone]
        return Reply([status_frame(*statuses)] if statuses else ())
