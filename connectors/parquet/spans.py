"""Which offsets an export is to have, and whether it would stay of one piece."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
from confluent_kafka.admin import AdminClient

from connectors.kafka import inspection
from connectors.kafka.reading import slices
from connectors.parquet.columns import row_of
from connectors.parquet.day import last_row
from connectors.parquet.manifest import Contract, Manifest, Range
from hadron.errors import HadronError

Place = tuple[str, int]


class Window(msgspec.Struct, frozen=True):
    """Kafka's times, in milliseconds since the epoch: records in [since, until)."""

    since_ms: int | None = None
    until_ms: int | None = None


class Source(msgspec.Struct, frozen=True):
    """The cluster, and what its records mean."""

    connection: Mapping[str, Any]
    admin: AdminClient
    contract: Callable[[int], Contract | None]  # of a schema id


def within(
    source: Source, kafka: Mapping[Place, tuple[int, int]], window: Window
) -> dict[Place, tuple[int, int]]:
    """What Kafka has of each partition within the window."""
    places = list(kafka)
    since, until = (
        {} if time is None else inspection.stamped_after(source.admin, places, time)
        for time in (window.since_ms, window.until_ms)
    )
    found = {}
    for place, (start, end) in kafka.items():
        last = max(start, min(end, until.get(place, end)))
        first = start if window.since_ms is None else min(last, since.get(place, last))
        found[place] = (first, last)
    return found


def range_of(
    source: Source,
    directory: Path,
    manifest: Manifest,
    place: Place,
    *,
    kafka: tuple[int, int],
    wanted: tuple[int, int],
) -> Range:
    """What the export will have of a partition. Raise HadronError if not of one piece."""
    known = manifest.range_of(*place)
    if known is None:
        return Range(*wanted)
    name, (start, end) = f"{place[0]}/{place[1]}", kafka
    if start > known.end:
        raise HadronError(
            f"Kafka deleted {known.end} to {start} of {name} before they were exported to"
            f" {directory}; export to another directory, and keep this one"
        )
    if wanted[0] > known.end:
        raise HadronError(
            f"--since would leave out {known.end} to {wanted[0]} of {name}, where the export in"
            f" {directory} goes on; leave it away, or export to another directory"
        )
    if end < known.end or not _agrees(source, directory, manifest, place, start):
        raise HadronError(
            f"{name} is not the log that {directory} has: its record before {known.end} is another"
            " or is missing; export to another directory"
        )
    return Range(known.start, max(wanted[1], known.end))


def _agrees(source: Source, directory: Path, manifest: Manifest, place: Place, start: int) -> bool:
    """The last record that was exported is on Kafka as it was, or is not there any more."""
    days = manifest.of(*place)
    if not days or days[-1].last < start:
        return True
    at = days[-1].last
    found = [
        row_of(message)
        for some in slices(source.connection, *place, start=at, end=at + 1)
        for message in some
    ]
    return found in ([], [last_row(directory / days[-1].path)])
