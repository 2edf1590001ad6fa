"""Tries a batch until the database has it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from threading import Event
from typing import TypeVar

import structlog
import tenacity
from psycopg_pool import ConnectionPool, PoolTimeout

from connectors.timescale.archiving.ailments import Ailments, of_database
from connectors.timescale.archiving.batch import Batch, Partition
from connectors.timescale.archiving.store import Store, Written
from hadron import metrics
from hadron.audit.facts import ChainHead
from hadron.errors import TransientError
from hadron.ports import Telemetry

T = TypeVar("T")

log = structlog.get_logger()


class Writer:
    """A store behind retries with backoff and full jitter, up to five seconds."""

    grace_s = 10.0  # how long a stop waits for the database

    def __init__(
        self, store: Store, pool: ConnectionPool, *, telemetry: Telemetry, ailments: Ailments
    ) -> None:
        self._store, self._pool = store, pool
        self._telemetry, self._ailments = telemetry, ailments
        self._abandoned = Event()
        self.heads: dict[Partition, ChainHead] = {}  # of the chains that are ours, or were

    def write(self, batch: Batch) -> Batch:
        """Return the batch when it is stored. Raise OffsetsMoved if it must be read again."""
        began = time.monotonic()
        written = self._persist(lambda: self._written(batch))
        self.heads.update(batch.heads)
        self._telemetry.observe(metrics.ARCHIVE_BATCH_SECONDS, time.monotonic() - began)
        for table, count in written.rows.items():
            self._telemetry.count(metrics.ARCHIVE_ROWS, count, table=table)
        self._telemetry.count(metrics.ARCHIVE_BATCHES, way=written.way)
        self._telemetry.count(metrics.ARCHIVE_REPEATED, written.repeated)
        return batch

    def offsets(
        self,
        places: Iterable[Partition],
        starts: Callable[[Iterable[Partition]], Mapping[Partition, int]],
    ) -> dict[Partition, int]:
        """The next offset of each partition; `starts` tells where those never read begin."""
        return self._persist(lambda: self._offsets(list(places), starts))

    def abandon(self) -> None:
        """Try no longer: whoever waits gets a TransientError."""
        self._abandoned.set()
        self._pool.close()

    def _written(self, batch: Batch) -> Written:
        began = time.monotonic()
        written = self._store.write(batch)
        self._ailments.wrote(time.monotonic() - began)
        return written

    def _offsets(
        self,
        places: list[Partition],
        starts: Callable[[Iterable[Partition]], Mapping[Partition, int]],
    ) -> dict[Partition, int]:
        known = self._store.offsets(places)
        if new := [place for place in places if place not in known]:
            self._store.begin(starts(new))
            known = self._store.offsets(places)
        self.heads.update(self._store.heads(places))
        return known

    def _persist(self, attempt: Callable[[], T]) -> T:
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(TransientError),
            wait=tenacity.wait_random_exponential(multiplier=0.1, max=5),
            stop=tenacity.stop_when_event_set(self._abandoned),
            sleep=tenacity.sleep_using_event(self._abandoned),
            before_sleep=self._failed,
            reraise=True,
        )
        result = retrying(attempt)
        self._telemetry.gauge(metrics.ARCHIVE_UP, 1)
        self._ailments.answered()
        self._show_pool()
        return result

    def _failed(self, state: tenacity.RetryCallState) -> None:
        reason = state.outcome.exception() if state.outcome else None
        if not of_database(reason):
            log.warning("archive.kafka_down", attempt=state.attempt_number, reason=str(reason))
            return
        self._telemetry.gauge(metrics.ARCHIVE_UP, 0)
        self._show_pool()
        if isinstance(reason.__cause__, PoolTimeout):
            self._telemetry.count(metrics.DATABASE_TIMEOUTS, pool=self._pool.name)
        log.warning("archive.database_down", attempt=state.attempt_number, reason=str(reason))
        self._ailments.failed(reason)

    def _show_pool(self) -> None:
        seen, pool = self._pool.get_stats(), self._pool.name
        size, idle = seen.get("pool_size", 0), seen.get("pool_available", 0)
        for state, count in (("idle", idle), ("used", size - idle)):
            self._telemetry.gauge(metrics.DATABASE_CONNECTIONS, count, pool=pool, state=state)
