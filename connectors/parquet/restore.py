"""From Parquet files into an empty cluster: the same partitions, offsets, times and bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

import msgspec
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from connectors.kafka import admin as administration
from connectors.kafka import inspection
from connectors.kafka.admin import Difference
from connectors.kafka.alteration import alter
from connectors.kafka.connection import ADMIN_TIMEOUT_S, our_errors
from connectors.kafka.log import KafkaLog
from connectors.kafka.reading import slices
from connectors.parquet.columns import Row, row_of
from connectors.parquet.day import rows
from connectors.parquet.holes import first_kept, gaps, is_filler
from connectors.parquet.manifest import Manifest
from connectors.parquet.restorable import (
    Place,
    Target,
    demand_declared,
    demand_empty,
    demand_possible,
)
from hadron.topics import FILLER

Progress = Callable[[str, int, int], None]
# Until somebody applies the catalogue: Kafka would delete a record of last year within minutes.
KEPT = {
    "cleanup.policy": "delete",
    "retention.ms": "-1",
    "retention.bytes": "-1",
    "message.timestamp.type": "CreateTime",
}
_AT_ONCE = 10_000


class Restored(msgspec.Struct, frozen=True):
    """A partition after an import. `filled` offsets stand in for those that had no record."""

    topic: str
    partition: int
    start: int
    end: int
    records: int
    filled: int
    differences: int
    first_difference: int | None  # offset


def restore(
    target: Target, directory: Path, manifest: Manifest, progress: Progress = lambda *_: None
) -> list[Restored]:
    """Make the topics of an export, fill them, and compare every record with its file.

    Raise HadronError, before a record is written, where a topic is not empty or could not become
    what it was.
    """
    demand_declared(target, manifest)
    for topic in manifest.topics:
        demand_possible(target, manifest, topic)
    administration.apply(
        target.admin,
        list(target.declared.values()),
        partitions=target.partitions,
        replication=target.replication,
    )
    places = [(name, p) for name in manifest.topics for p in range(target.partitions)]
    demand_empty(target, places)
    _keep(target.admin, list(manifest.topics))
    import_ = _Import(target, directory, manifest, progress)
    import_.fill(places)
    return [import_.compared(place) for place in places]


def _keep(admin: AdminClient, names: Sequence[str]) -> None:
    seen = administration.settings_of(admin, names)
    differences = [
        Difference(name, setting, seen[name].get(setting, ""), wanted)
        for name in names
        for setting, wanted in KEPT.items()
        if seen[name].get(setting) != wanted
    ]
    alter(admin, differences)


class _Import:
    """The partitions of one export on their way to Kafka and back."""

    def __init__(
        self, target: Target, directory: Path, manifest: Manifest, progress: Progress
    ) -> None:
        self._target, self._directory, self._manifest = target, directory, manifest
        self._progress = progress

    def fill(self, places: Sequence[Place]) -> None:
        """Append every record, and return when Kafka has them."""
        log = KafkaLog(self._target.connection, linger_ms=20)
        try:
            for place in places:
                self._append(log, place)
                log.flush(600)
                self._delete_before(place, self._start(place))
        finally:
            log.close()

    def compared(self, place: Place) -> Restored:
        """Read a partition back and compare each record with its file."""
        start, end = inspection.bounds(self._target.admin, [place])[place]
        found = _Found(self._target.connection, place, start, end)
        wanted_end = self._manifest.topics[place[0]].partitions[place[1]].end
        differences = int((start, end) != (self._start(place), wanted_end))
        first: int | None = None
        for seen, wanted in zip_longest(found.rows(), self._rows(place)):
            if seen != wanted:
                differences += 1
                if first is None:
                    first = min(row.offset for row in (seen, wanted) if row is not None)
        return Restored(*place, start, end, found.records, found.filled, differences, first)

    def _append(self, log: KafkaLog, place: Place) -> None:
        end = self._manifest.topics[place[0]].partitions[place[1]].end
        stamp_ms = next((day.earliest_ms for day in self._manifest.of(*place)), 1)
        for row, empty in gaps(self._rows(place), 0, end):
            # Stamped like the record before it, so that a search by time finds what it found.
            _append_filler(log, place, empty, stamp_ms)
            if row is None:
                break
            stamp_ms = row.timestamp_ms
            pair = [(row.key, row.value)]
            log.append(*place, pair, timestamp_ms=stamp_ms, headers=row.headers)
            if not row.offset % _AT_ONCE:
                log.poll()
                self._progress(f"{place[0]}/{place[1]}", row.offset, end)
        self._progress(f"{place[0]}/{place[1]}", end, end)

    def _delete_before(self, place: Place, start: int) -> None:
        if not start:
            return
        before = [TopicPartition(*place, start)]
        with our_errors(f"deleting the stand-ins before {start} of {place[0]}/{place[1]}"):
            asked = self._target.admin.delete_records(before, request_timeout=ADMIN_TIMEOUT_S)
            for future in asked.values():
                future.result()

    def _start(self, place: Place) -> int:
        within = self._manifest.topics[place[0]].partitions[place[1]]
        compacted = self._target.declared[place[0]].compacted
        return within.start if compacted else first_kept(self._manifest.of(*place), within)

    def _rows(self, place: Place) -> Iterator[Row]:
        for day in self._manifest.of(*place):
            yield from rows(self._directory / day.path)


class _Found:
    """The records of a partition on Kafka, without those that stand in for none."""

    def __init__(self, connection: Mapping[str, Any], place: Place, start: int, end: int) -> None:
        self._slices = slices(connection, *place, start=start, end=end)
        self.records = self.filled = 0

    def rows(self) -> Iterator[Row]:
        """In the order of their offsets."""
        for messages in self._slices:
            for row in map(row_of, messages):
                if is_filler(row):
                    self.filled += 1
                else:
                    self.records += 1
                    yield row


def _append_filler(log: KafkaLog, place: Place, count: int, stamp_ms: int) -> None:
    while count > 0:
        some = min(count, _AT_ONCE)
        log.append(*place, [(FILLER, None)] * some, timestamp_ms=stamp_ms)
        log.poll()
        count -= some
