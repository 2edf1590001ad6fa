"""Where the records of a rebuild come from: Kafka, or the files of an export and then Kafka."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from confluent_kafka.admin import AdminClient

from connectors.kafka import inspection
from connectors.kafka.reading import slices
from connectors.parquet.manifest import Manifest, Range
from hadron.errors import HadronError

Partition = tuple[str, int]


class Span(msgspec.Struct, frozen=True):
    """The offsets of a partition that the log has, [first, past)."""

    topic: str
    partition: int
    first: int
    past: int

    @property
    def place(self) -> Partition:
        return self.topic, self.partition


class Kafka(msgspec.Struct, frozen=True):
    """The cluster."""

    connection: Mapping[str, Any]
    admin: AdminClient
    partitions: int


class Files(msgspec.Struct, frozen=True):
    """An export; its files have been compared with nothing yet."""

    directory: Path
    manifest: Manifest


class Sources(msgspec.Struct, frozen=True):
    """The log, as far back as it goes."""

    kafka: Kafka
    files: Files | None = None

    def spans(self, topics: Sequence[str]) -> list[Span]:
        """What can be rebuilt of these topics. Raise HadronError where the beginning is missing.

        In the order of the index of places, so that rows which are written in it go to its end.
        """
        there = inspection.inspect(self.kafka.admin).topics
        places = [(name, p) for name in sorted(topics) for p in range(self.kafka.partitions)]
        bounds = inspection.bounds(self.kafka.admin, [one for one in places if one[0] in there])
        found = [self._span(place, *bounds.get(place, (0, 0))) for place in places]
        return [span for span in found if span.first < span.past]

    def messages(self, span: Span) -> Iterator[list[Any]]:
        """The records of a span in order, some at a time."""
        reached = span.first
        exported = self._exported(span.place)
        if self.files is not None and exported is not None:
            from connectors.parquet.messages import kept

            yield from kept(self.files.directory, self.files.manifest, *span.place)
            reached = exported.end
        yield from slices(self.kafka.connection, *span.place, start=reached, end=span.past)

    def _span(self, place: Partition, start: int, end: int) -> Span:
        exported = self._exported(place)
        if exported is None:
            if start:
                raise HadronError(
                    f"Kafka has deleted 0 to {start} of {place[0]}/{place[1]}; give --from an"
                    " export that has them"
                )
            return Span(*place, start, end)
        if start > exported.end:
            raise HadronError(
                f"{exported.end} to {start} of {place[0]}/{place[1]} are neither in the export nor"
                " on Kafka any more"
            )
        return Span(*place, exported.start, max(end, exported.end))

    def _exported(self, place: Partition) -> Range | None:
        return self.files.manifest.range_of(*place) if self.files is not None else None
