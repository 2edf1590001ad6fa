"""Counts what a stream does, says how it is, and stops it when too much of its input is poison."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence, Set
from typing import Any

from hadron import metrics
from hadron.audit.poison import PoisonLimit
from hadron.ports import Pulse, Telemetry
from streams.lanes import Lanes
from streams.ranks import OTHER, RANK

LANE = ("other", "fast", "warm", "cold")


class Watch:
    """What people on call see of one process."""

    def __init__(self, process: str, *, telemetry: Telemetry, pulse: Pulse, bound: int) -> None:
        """`bound` is how many records may wait in all."""
        self.beat = pulse.beat
        self._process = process
        self._telemetry = telemetry
        self._pulse = pulse
        self._bound = max(1, bound)
        self._poison = PoisonLimit()

    def stepped(
        self, topic: str, records: Sequence[Any], poisoned: Set[int], *, took_s: float
    ) -> None:
        """Take a slice that was stepped, and its unreadable offsets. Raise PoisonLimitReached."""
        process, telemetry = self._process, self._telemetry
        lane = LANE[RANK.get(topic, OTHER)]
        telemetry.count(metrics.RECORDS_IN, len(records), process=process, topic=topic)
        telemetry.observe(metrics.STEP_SECONDS, took_s, process=process, lane=lane)
        telemetry.observe(metrics.STEP_RECORDS, len(records), process=process, lane=lane)
        hop_s = time.time() - records[0].timestamp / 1000
        telemetry.observe(metrics.HOP_SECONDS, hop_s, process=process)
        self._count_poison(records, poisoned)

    def emitted(self, counts: Mapping[str, int]) -> None:
        """Take how many facts went to which topic."""
        for topic, count in counts.items():
            self._telemetry.count(metrics.FACTS_OUT, count, process=self._process, topic=topic)

    def restored(self, took_s: float) -> None:
        """Take how long a shard took to restore."""
        self._telemetry.observe(metrics.RESTORE_SECONDS, took_s, process=self._process)

    def show(
        self, lanes: Lanes, *, shards: int, lag: Mapping[str, int], assigned: bool, **counted: int
    ) -> None:
        """Export what is so now; `counted` are gauges by the names of `hadron.metrics`."""
        process, telemetry = self._process, self._telemetry
        telemetry.gauge(metrics.SHARDS, shards, process=process)
        for rank, lane in enumerate(LANE):
            waiting = lanes.records(rank)
            telemetry.gauge(metrics.QUEUE_RECORDS, waiting, process=process, lane=lane)
            share = waiting / self._bound
            telemetry.gauge(metrics.QUEUE_SHARE, share, process=process, lane=lane)
        for topic, records in lag.items():
            telemetry.gauge(metrics.LAG_RECORDS, records, process=process, topic=topic)
        for name, value in counted.items():
            telemetry.gauge(name, value, process=process)
        self._pulse.lag(sum(lag.values()))
        self._pulse.ready("partitions", assigned, "" if assigned else "none assigned yet")

    def _count_poison(self, records: Sequence[Any], poisoned: Set[int]) -> None:
        if not poisoned:
            self._poison.good(len(records))
            return
        self._telemetry.count(metrics.POISONED, len(poisoned), process=self._process)
        self._poison.bad([record.offset for record in records], poisoned)
