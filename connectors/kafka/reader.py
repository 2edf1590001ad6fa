"""The log in Kafka for those who only read it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from confluent_kafka.admin import AdminClient, OffsetSpec

from connectors.kafka.offsets import listed
from connectors.kafka.reading import records
from hadron.ports import Record


class KafkaReader:
    """A Reading that opens a consumer for each range."""

    def __init__(self, connection: Mapping[str, Any]) -> None:
        """Connect on first use. `connection` comes from `connection.configuration`."""
        self._connection = dict(connection)
        self._admin = AdminClient(dict(connection))

    def ends(self, partitions: Iterable[tuple[str, int]]) -> dict[tuple[str, int], int]:
        """See Reading. One request; TransientError if it fails for ten seconds."""
        return self._offsets(list(partitions), OffsetSpec.latest())

    def starts(self, partitions: Iterable[tuple[str, int]]) -> dict[tuple[str, int], int]:
        """See Reading. One request; TransientError if it fails for ten seconds."""
        return self._offsets(list(partitions), OffsetSpec.earliest())

    def read(self, topic: str, partition: int, *, start: int, end: int) -> Iterator[Record]:
        """See Reading. Raise HadronError if records from `start` on have been deleted."""
        return records(self._connection, topic, partition, start=start, end=end)

    def _offsets(
        self, places: Sequence[tuple[str, int]], spec: OffsetSpec
    ) -> dict[tuple[str, int], int]:
        return listed(self._admin, places, spec, f"asking for offsets of {places}")
