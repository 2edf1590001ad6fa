"""Alarms that tests can read."""

from __future__ import annotations

from hadron.audit.facts import Severity


class Heard:
    """Meets `Alarms`: keeps what is raised now, and the order in which things changed."""

    def __init__(self) -> None:
        self.now: dict[str, str] = {}
        self.changes: list[tuple[str, bool]] = []

    def raised(
        self, subject: str, text: str, *, severity: Severity = "critical", after_s: float = 0
    ) -> None:
        if subject not in self.now:
            self.now[subject] = text
            self.changes.append((subject, True))

    def well(self, subject: str) -> None:
        if self.now.pop(subject, None) is not None:
            self.changes.append((subject, False))

    def measured(self, subject: str, value: float, *, limit: float, text: str) -> None:
        if value > limit:
            self.raised(subject, text)
        elif value <= limit / 2:
            self.well(subject)

    def stopped(self, error: Exception) -> None:
        self.raised("stopped", str(error))

    def close(self) -> None: ...
