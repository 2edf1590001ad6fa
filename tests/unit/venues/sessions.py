"""A session with Massive that has come as far as a test needs."""

from __future__ import annotations

from pydantic import SecretStr

from hadron.venues.massive.protocol import Deadlines, MassiveProtocol
from hadron.venues.protocol import (
    Phase,
)
from tests.unit.venues.samples import sample

S = 1_000_000_000
KEY = SecretStr("k-123")
TOPICS = ["T.MSFT", "Q.MSFT"]
TRADE = sample("massive/trade")


def a_session(phase: Phase = Phase.LIVE, topics: list[str] = TOPICS) -> MassiveProtocol:
    """A session at time 0 that has come as far as `phase`."""
    session = MassiveProtocol(KEY, topics, Deadlines(step_s=10, ack_s=10, stale_s=30))
    steps = {
        Phase.OPEN: None,
        Phase.AUTHENTICATING: "greeting",
        Phase.SUBSCRIBING: "auth_success",
        Phase.LIVE: "acks",
    }
    session.opened(0)
    for step, frame in steps.items():
        if frame:
            session.received(sample(f"massive/{frame}"), 0)
        if step is phase:
            break
    return session
