"""Keeps Redis equal to what is hot: writes what changed, and looks whether it is still there."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence

import structlog

from connectors.redis.documents import instrument_of
from connectors.redis.hot import Hot
from connectors.redis.store import Store
from hadron import metrics
from hadron.ports import Telemetry

# All keys are compared within so many checks, of which there is one a second.
CHECKS_OF_A_ROUND = 5
_LEAST = 1_000
# What is about to expire, by either clock, is nobody's fault.
_MARGIN_MS = 1_000
# Until then Redis, by its own clock, may still have what has expired by ours.
_KEPT_MS = 10_000

log = structlog.get_logger()


class Projection:
    """One Redis. Methods raise TransientError while it is away; what changed is kept.

    Redis may lie: the log alone is believed, and what differs from it is overwritten.
    """

    def __init__(self, store: Store, hot: Hot, telemetry: Telemetry) -> None:
        self._store, self._hot, self._telemetry = store, hot, telemetry
        self._round: list[str] = []  # keys that are still to be compared
        self._cursor = 0

    def write(self) -> None:
        """Write what changed, and what turned out to be wrong."""
        keys = list(self._hot.changed)
        if not keys:
            return
        entries, now_ms = self._hot.entries, _now_ms()
        # Facts of a log read long after they were appended are too old to be hot.
        living = {key: entries[key] for key in keys if entries[key].expires_ms > now_ms}
        self._store.put({k: (entry.document, entry.expires_ms) for k, entry in living.items()})
        self._hot.changed.difference_update(keys)
        for kind, count in Counter(key.partition(":")[0] for key in living).items():
            self._telemetry.count(metrics.LATEST_WRITES, count, kind=kind)

    def check(self) -> None:
        """Compare some keys; where one is missing or wrong, all of them, at once."""
        self._hot.forget_expired(_now_ms() - _KEPT_MS)
        if not self._round:
            self._round = list(self._hot.entries)
        share = max(_LEAST, len(self._hot.entries) // CHECKS_OF_A_ROUND + 1)
        some, self._round = self._round[:share], self._round[share:]
        if self._mend(some):
            self._mend(list(self._hot.entries))
            self._round = []

    def check_foreign(self, ours: Callable[[str], bool]) -> None:
        """Delete keys of our kinds, and of our instruments, that the log knows nothing of."""
        share = max(_LEAST, len(self._hot.entries) // CHECKS_OF_A_ROUND + 1)
        self._cursor, keys = self._store.scan(self._cursor, most=share)
        foreign = [key for key in keys if key not in self._hot.entries and _is_of(key, ours)]
        if foreign:
            self._store.delete(foreign)
            self._told({"foreign": len(foreign)})

    def _mend(self, keys: Sequence[str]) -> int:
        """How many of them differ. They are written again with the next `write`."""
        soon_ms = _now_ms() + _MARGIN_MS
        entries, changed = self._hot.entries, self._hot.changed
        asked = [
            key
            for key in keys
            if key in entries and key not in changed and entries[key].expires_ms > soon_ms
        ]
        found = self._store.get(asked)
        missing = [key for key in asked if key not in found]
        wrong = [key for key in asked if found.get(key, b"") != entries[key].document]
        changed.update(wrong)
        self._told({"missing": len(missing), "wrong": len(wrong) - len(missing)})
        return len(wrong)

    def _told(self, differences: dict[str, int]) -> None:
        for reason, count in differences.items():
            if count:
                self._telemetry.count(metrics.LATEST_REPAIRED, count, reason=reason)
                log.warning("latest.redis_differed", reason=reason, keys=count)


def _is_of(key: str, ours: Callable[[str], bool]) -> bool:
    instrument = instrument_of(key)
    return instrument is not None and ours(instrument)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
