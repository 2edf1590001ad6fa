"""From Kafka into the database, each record exactly once in effect.

The offsets in the database are the truth; the consumer group only shares out the partitions, and
what is committed to Kafka is for people who look at the lag.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from threading import Event
from typing import Any

import structlog
from confluent_kafka import Consumer, TopicPartition

from connectors.kafka import membership
from connectors.timescale.archiving.batch import Batch, Partition
from connectors.timescale.archiving.intake import Intake
from connectors.timescale.archiving.store import OffsetsMoved
from connectors.timescale.archiving.writer import Writer
from hadron import metrics
from hadron.errors import TransientError
from hadron.ports import Pulse, Telemetry

MOST_ROWS = 10_000
_SLICE = 2_000  # messages taken at a time
_IDLE_S = 0.1  # how long a stop or a rebalance may go unseen
_BUSY_S = 0.005  # how long a finished write may go unseen
_SHOW_S = 1.0

log = structlog.get_logger()


class Archive:
    """One consumer and one writer; while the writer waits for the database, the next batch fills.

    At most `MOST_ROWS` rows wait and as many are being written: then the partitions pause, and
    the consumer stays in its group.
    """

    def __init__(
        self,
        consumer: Consumer,
        writer: Writer,
        intake: Intake,
        *,
        starts: Callable[[Iterable[Partition]], Mapping[Partition, int]],
        telemetry: Telemetry,
        pulse: Pulse,
        batch_rows: int,
        batch_s: float,
    ) -> None:
        self._consumer, self._writer, self._intake = consumer, writer, intake
        self._starts, self._telemetry, self._pulse = starts, telemetry, pulse
        self._batch_rows, self._batch_s = batch_rows, batch_s
        self._most = max(MOST_ROWS, batch_rows)
        self._worker = ThreadPoolExecutor(1, "archive-writer")
        self._job: Future[Any] | None = None
        self._assigned: list[Partition] = []
        self._positions: dict[Partition, int] = {}  # empty until the database has told them
        self._stored: dict[Partition, int] = {}
        self._batch, self._began_s, self._shown_s = Batch(), 0.0, 0.0
        self._more = False  # more messages are waiting
        self._paused = False

    def run(self, topics: Iterable[str], stop: Event) -> None:
        """Store until `stop` is set, then store what was read, if the database answers in time.

        Raise PoisonLimitReached or HadronError where going on would lose or hide records.
        """
        try:
            self._consumer.subscribe(
                list(topics),
                on_assign=self._on_assign,
                on_revoke=self._on_revoke,
                on_lost=self._on_revoke,
            )
            while not stop.is_set():
                self._turn()
            self._drain()
        finally:
            self._writer.abandon()
            self._worker.shutdown()
            self._consumer.close()

    def _turn(self) -> None:
        self._pulse.beat()
        self._settle()
        # Also where nothing was stored since: rows may wait, and a commit may have failed.
        if time.monotonic() - self._shown_s >= _SHOW_S:
            self._show()
        if self._job is None:
            self._start_job()
        if self._job is not None and self._batch.size >= self._most:
            self._hold(self._job)
        else:
            self._take()

    def _take(self) -> None:
        self._take_at_most(min(_SLICE, self._most - self._batch.size), patience_s=self._patience())

    def _take_at_most(self, room: int, *, patience_s: float) -> None:
        messages = membership.taken(self._consumer, most=room, patience_s=patience_s)
        self._more = len(messages) == room
        if not messages:
            return
        if not self._batch.size:
            self._began_s = time.monotonic()
        self._intake.take(messages, self._batch, self._positions)

    def _patience(self) -> float:
        if self._job is not None:
            return _BUSY_S
        if not self._batch.size:
            return _IDLE_S
        return min(_IDLE_S, max(0.0, self._began_s + self._batch_s - time.monotonic()))

    def _due(self) -> bool:
        size = self._batch.size
        late = size > 0 and time.monotonic() - self._began_s >= self._batch_s
        # What waits already goes with it: one transaction for many rows.
        return late or size >= self._most or (size >= self._batch_rows and not self._more)

    def _start_job(self) -> None:
        if self._assigned and not self._positions:
            self._job = self._worker.submit(self._writer.offsets, self._assigned, self._starts)
        elif self._due():
            self._write()

    def _write(self) -> None:
        batch, self._batch = self._batch, Batch()
        batch.next = {place: self._positions[place] for place in batch.expected}
        if batch.expected:
            self._job = self._worker.submit(self._writer.write, batch)

    def _settle(self) -> None:
        """Take the result of a finished job."""
        if self._job is None or not self._job.done():
            return
        job, self._job = self._job, None
        if self._paused:
            self._consumer.resume(self._consumer.assignment())
            self._paused = False
        try:
            result = job.result()
        except OffsetsMoved as moved:
            log.warning("archive.offsets_moved", reason=str(moved))
            self._forget()
            return
        if isinstance(result, Batch):
            self._count(result)
        elif set(result) == set(self._assigned):
            self._positions, self._stored = dict(result), dict(result)
            self._consumer.assign([TopicPartition(*place, at) for place, at in result.items()])

    def _hold(self, job: Future[Any]) -> None:
        wait([job], timeout=_IDLE_S)
        if job.done():
            return
        if not self._paused:
            self._consumer.pause(self._consumer.assignment())
            self._paused = True
        # Paused partitions give nothing; this keeps the membership and serves rebalances.
        self._take_at_most(1, patience_s=0)

    def _drain(self) -> None:
        for _ in range(2):  # the batch that is being written, and the one that waits
            if self._job is not None:
                wait([self._job], timeout=self._writer.grace_s)
                self._settle()
            if self._job is None:
                self._write()
        self._show()

    def _forget(self) -> None:
        self._positions, self._stored = {}, {}
        self._batch = Batch()
        self._more = False

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._assigned = [(partition.topic, partition.partition) for partition in partitions]
        self._forget()
        consumer.assign([])  # nothing flows until the database has told the offsets

    def _on_revoke(self, consumer: Consumer, _: list[TopicPartition]) -> None:
        self._assigned = []
        self._forget()
        consumer.unassign()

    def _count(self, batch: Batch) -> None:
        ours = self._positions
        self._stored.update((place, at) for place, at in batch.next.items() if place in ours)

    def _show(self) -> None:
        self._shown_s = time.monotonic()
        lag = membership.lag(self._consumer, self._stored)
        for topic, records in lag.items():
            self._telemetry.gauge(metrics.LAG_RECORDS, records, process="archive", topic=topic)
        self._pulse.lag(sum(lag.values()))
        with suppress(TransientError):
            membership.commit(self._consumer, self._stored)
