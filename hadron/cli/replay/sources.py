"""Where a replay's normalize reads raw events: the live ones, or copies made at a pace."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol

from hadron.cli.replay.span import Places, Span
from hadron.strategy.facts import DecisionMade
from hadron.topics import Names, replay_names

if TYPE_CHECKING:
    from confluent_kafka.admin import AdminClient


class Source(Protocol):
    """Raw events of one replay."""

    names: Names
    raw: str  # the setting replay_raw
    offering: bool  # whether more will come

    def begin(self) -> None:
        """Before the processes start, once the topics exist."""

    def advance(self, for_s: float) -> None:
        """Return after about so long, having offered what was due."""

    def first(self) -> Places:
        """Where normalize begins, by the names that it reads."""

    def goal(self) -> Places:
        """Where what was offered ends, by the names that it reads."""

    def original(self, decision: DecisionMade) -> DecisionMade:
        """A decision of the replay, naming the live raw event that led to it."""


class Straight:
    """The live raw events themselves, as fast as they can be taken."""

    raw = "live"
    offering = False

    def __init__(self, run: str, span: Span, *, admin: AdminClient) -> None:
        self.names = replay_names(run)
        self._span = span
        self._admin = admin

    def begin(self) -> None:
        """Let the group of normalize begin at the offsets of the span."""
        from connectors.kafka.groups import reset

        reset(self._admin, self.names.group("normalize"), self._span.first)

    def advance(self, for_s: float) -> None:
        """Wait: there is nothing to do."""
        time.sleep(for_s)

    def first(self) -> Places:
        """See Source."""
        return self._span.first

    def goal(self) -> Places:
        """See Source. What was received after it may be read, too: nobody holds it back."""
        return self._span.end

    def original(self, decision: DecisionMade) -> DecisionMade:
        """See Source."""
        return decision
