"""What is hot, folded from the log alone."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from confluent_kafka.admin import AdminClient, OffsetSpec

from connectors.kafka import tail
from connectors.kafka.offsets import listed_once
from connectors.redis.intake import Alike, Intake

# Most instruments that trade at all are among these.
_NEAR = 200_000
_SLICE = 50_000


class Past:
    """The records of the last `ttl_ms`: older ones make no key."""

    def __init__(self, connection: Mapping[str, Any], *, ttl_ms: int, near: int = _NEAR) -> None:
        """Of the last `near` records all are looked at, before them only what they lack."""
        self._connection, self._ttl_ms, self._near = dict(connection), ttl_ms, near
        self._admin = AdminClient(self._connection)

    def ends(self, places: Iterable[tail.Place]) -> dict[tail.Place, int]:
        """Where partitions end now. One request; raise TransientError if Kafka is away."""
        return listed_once(self._admin, places, OffsetSpec.latest(), "asking where partitions end")

    def fold(self, ends: Mapping[tail.Place, int], intake: Intake) -> Iterator[int]:
        """Fold what lies before `ends`, the newest first; after each slice, yield its records.

        Raise TransientError if Kafka is away; then begin again.
        """
        since_ms = time.time_ns() // 1_000_000 - self._ttl_ms
        ranges = tail.since(self._admin, ends, since_ms)
        settled: set[Alike] = set()
        near, before = tail.newest_first(ranges, near=self._near)
        for messages in tail.slices(self._connection, near, most=_SLICE):
            settled |= intake.take(messages)
            yield len(messages)
        for messages in tail.slices(self._connection, before, most=_SLICE):
            intake.take(messages, passed_over=settled)
            yield len(messages)

    def between(
        self, begins: Mapping[tail.Place, int], ends: Mapping[tail.Place, int], intake: Intake
    ) -> Iterator[int]:
        """Fold what was appended between two answers of `ends`; yield as `fold` does."""
        spans = {place: (at, ends[place]) for place, at in begins.items() if at < ends[place]}
        for messages in tail.slices(self._connection, spans, most=_SLICE):
            intake.take(messages)
            yield len(messages)
