"""Which alerts are raised, and what to say when a process tells how something is now."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from hadron.audit.facts import AlertCleared, AlertRaised, Severity

Alert = AlertRaised | AlertCleared
T = TypeVar("T", AlertRaised, AlertCleared)


class Said(msgspec.Struct, frozen=True):
    """What a process says of a subject; `severity` is None where all is well with it."""

    process: str
    subject: str
    text: str
    at_ns: int
    severity: Severity | None


class Alerts:
    """A fold of the topic `alerts`: what was last said of each subject."""

    def __init__(self) -> None:
        self._newest: dict[str, Alert] = {}

    def take(self, fact: Alert) -> None:
        """Take facts in the order of their partition: a subject lies in one."""
        self._newest[fact.subject] = fact

    def raised(self) -> list[AlertRaised]:
        """Those that nobody cleared since, the newest first."""
        found = [fact for fact in self._newest.values() if isinstance(fact, AlertRaised)]
        return sorted(found, key=lambda fact: (-fact.at_ns, fact.subject))

    def follows(self, said: Said, partition: int) -> Alert | None:
        """The fact to append to a partition; None where it would say nothing new.

        What happened before the newest fact of its subject is over: several processes see one
        outage, and tell of it when it has passed.
        """
        newest = self._newest.get(said.subject)
        if newest is not None and said.at_ns <= newest.at_ns:
            return None
        raised = newest if isinstance(newest, AlertRaised) else None
        if said.severity is None:
            return raised and _made(AlertCleared, said, raised.severity, partition)
        return None if raised else _made(AlertRaised, said, said.severity, partition)


def _made(kind: type[T], said: Said, severity: Severity, partition: int) -> T:
    # No record of the log is the cause: the process and the time name it.
    return kind(
        source=f"process/{said.process}",
        partition=partition,
        offset=said.at_ns,
        index=0,
        severity=severity,
        process=said.process,
        subject=said.subject,
        text=said.text,
        at_ns=said.at_ns,
    )
