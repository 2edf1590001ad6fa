"""Appends what a venue sent to raw.<venue>, byte for byte."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from connectors.feeds.outside import Outside, Source
from hadron.market.facts import RawReceived
from hadron.metrics import FEED_EVENTS, FEED_UNREADABLE
from hadron.partitions import partition_of
from hadron.topics import RAW
from hadron.venues.protocol import UNREADABLE, Element


class Recorder:
    """One append per partition and frame, keyed by instrument. Counts what is not stored yet."""

    def __init__(self, source: Source, outside: Outside) -> None:
        self._source = source
        self._outside = outside
        self._topic = RAW[source.venue].name
        self.in_flight = 0

    def write(
        self, elements: Sequence[Element], *, connection: int, frame: int, seen_ns: int
    ) -> None:
        """Append the events of one frame, in their order."""
        venue, outside = self._source.venue, self._outside
        id_of, partitions = self._source.ids.id_of, self._source.partitions
        facts = []
        for element in elements:
            symbol = element.symbol
            key = id_of(venue, symbol)
            facts.append(
                RawReceived(
                    venue, symbol, key, connection, frame, element.index, seen_ns, element.payload
                )
            )
            if symbol == UNREADABLE:
                outside.telemetry.count(FEED_UNREADABLE, venue=venue)
        by_partition: dict[int, list[tuple[str, bytes]]] = {}
        for fact, value in zip(facts, outside.codec.encode_many(facts), strict=True):
            partition = partition_of(fact.instrument, partitions)
            by_partition.setdefault(partition, []).append((fact.instrument, value))
        self._append(by_partition, seen_ns // 1_000_000)
        outside.telemetry.count(FEED_EVENTS, len(elements), venue=venue)

    def _append(self, by_partition: Mapping[int, list[tuple[str, bytes]]], at_ms: int) -> None:
        with self._outside.tracer.slice_span("feed", ()) as headers:
            for partition, records in by_partition.items():
                self.in_flight += len(records)
                self._outside.log.append(
                    self._topic,
                    partition,
                    records,
                    timestamp_ms=at_ms,
                    headers=headers,
                    delivered=partial(self._stored, len(records)),
                )

    def _stored(self, records: int) -> None:
        self.in_flight -= records
