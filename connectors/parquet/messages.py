"""Records of files for those who read confluent-kafka's messages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from connectors.parquet.columns import CREATED, Row, rows_of
from connectors.parquet.day import batches
from connectors.parquet.manifest import Manifest, digest
from hadron.errors import HadronError


class Kept:
    """As much of a message as a sink reads."""

    __slots__ = ("_partition", "_row", "_topic")

    def __init__(self, topic: str, partition: int, row: Row) -> None:
        self._topic, self._partition, self._row = topic, partition, row

    def topic(self) -> str:
        return self._topic

    def partition(self) -> int:
        return self._partition

    def offset(self) -> int:
        return self._row.offset

    def key(self) -> bytes | None:
        return self._row.key

    def value(self) -> bytes | None:
        return self._row.value

    def timestamp(self) -> tuple[int, int]:
        return CREATED, self._row.timestamp_ms


def kept(directory: Path, manifest: Manifest, topic: str, partition: int) -> Iterator[list[Kept]]:
    """The records of a partition, in order. Raise HadronError for a file that is not whole."""
    for day in manifest.of(topic, partition):
        path = directory / day.path
        if digest(path) != day.sha256:
            raise HadronError(f"{path} is not as the manifest says; see `hadron archive check`")
        for batch in batches(path):
            yield [Kept(topic, partition, row) for row in rows_of(batch)]
