"""What ails the database, so that people are told what to mend."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeGuard

import psycopg
from psycopg import errors
from psycopg_pool import ConnectionPool, PoolTimeout

from connectors.timescale.errors import sentence
from hadron.errors import TransientError
from hadron.ports import Alarms

SLOW = "slow"
AWAY = "database"
CONNECTIONS = "connections"
DISK = "disk"
SUBJECTS: Mapping[str, str] = {
    AWAY: "the database does not answer",
    CONNECTIONS: "no connection to the database is to be had",
    DISK: "the disk of the database is full",
}

# libpq has no code for what a server says before it lets anyone in.
_NO_SLOTS = re.compile("too many (clients|connections)|remaining connection slots")
_PROBE_S = 2


def of_database(error: BaseException | None) -> TypeGuard[TransientError]:
    """Whether it was the database that did not answer; else it was Kafka."""
    return isinstance(error, TransientError) and isinstance(error.__cause__, psycopg.Error)


class Ailments:
    """Raises an alert for each thing that ails the database, and clears all of them at a write."""

    def __init__(self, alarms: Alarms, pool: ConnectionPool, *, slow_s: float) -> None:
        self._alarms, self._pool, self._slow_s = alarms, pool, slow_s

    def failed(self, error: TransientError) -> None:
        """Take what an attempt ended with."""
        subject, reason = self._told_apart(error.__cause__)
        self._alarms.raised(subject, f"{SUBJECTS[subject]}: {reason or error}")

    def answered(self) -> None:
        """Take an attempt that was no failure."""
        for subject in SUBJECTS:
            self._alarms.well(subject)

    def wrote(self, took_s: float) -> None:
        """Take how long a write took."""
        text = f"a write to the database took {took_s:.1f} s"
        self._alarms.measured(SLOW, took_s, limit=self._slow_s, text=text)

    def _told_apart(self, cause: BaseException | None) -> tuple[str, str]:
        # A pool only says that it waited: why, the server tells whoever comes without one.
        if isinstance(cause, PoolTimeout):
            cause = _refusal(self._pool)
            if cause is None:
                return CONNECTIONS, f"all {self._pool.max_size} of the pool are in use"
        if isinstance(cause, errors.DiskFull):
            return DISK, sentence(cause)
        reason = sentence(cause) if isinstance(cause, psycopg.Error) else ""
        return (CONNECTIONS if _NO_SLOTS.search(reason) else AWAY), reason


def _refusal(pool: ConnectionPool) -> psycopg.Error | None:
    try:
        psycopg.connect(str(pool.conninfo), connect_timeout=_PROBE_S).close()
    except psycopg.Error as error:
        return error
    return None
