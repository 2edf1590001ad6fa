"""Orders that are refused one after the other: people should know."""

from __future__ import annotations

from hadron.ports import Alarms


class Refusals:
    """Raises an alert at `limit` refused orders in a row, and clears it at the next fill."""

    def __init__(self, alarms: Alarms, *, limit: int) -> None:
        self._alarms, self._limit = alarms, limit
        self._row = 0

    def refused(self, reason: str) -> None:
        """Take an order that was rejected."""
        self._row += 1
        if self._row >= self._limit:
            text = f"{self._row} orders in a row were refused, the last: {reason}"
            self._alarms.raised("refusals", text, severity="warning")

    def filled(self) -> None:
        """Take an order that was filled."""
        self._row = 0
        self._alarms.well("refusals")
