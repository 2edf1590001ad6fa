"""What an export holds, in one JSON file: its last write is what makes an export be.

A file that the manifest does not name does not count, so a crash leaves an export as it was before.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from typing import Any

import msgspec

from connectors.durable import sync
from hadron.errors import HadronError

NAME = "manifest.json"
FORMAT = 1


class Contract(msgspec.Struct, frozen=True):
    """What a schema id on the wire stands for; the fingerprint is that of its canonical form."""

    name: str
    fingerprint: str
    schema: dict[str, Any]


class Range(msgspec.Struct, frozen=True):
    """Offsets of a partition, [start, end), that were read to the last; some may have no record."""

    start: int
    end: int


class Exported(msgspec.Struct, frozen=True):
    """A topic: its settings on the cluster, and the range of each partition."""

    settings: dict[str, str]
    partitions: list[Range]


class Day(msgspec.Struct, frozen=True):
    """One file. Times are Kafka's, in milliseconds since the epoch; `day` is the latest's, UTC."""

    topic: str
    partition: int
    day: str
    path: str  # from the export's directory
    first: int  # offset
    last: int
    records: int
    earliest_ms: int
    latest_ms: int
    bytes: int
    sha256: str


class Manifest(msgspec.Struct):
    """Files lie in the order of their offsets; the last of each partition may still grow."""

    clusters: list[str] = []  # ids, in the order in which they were exported
    contracts: dict[str, Contract] = {}  # by the schema ids that are in the files
    topics: dict[str, Exported] = {}
    files: list[Day] = []
    format: int = FORMAT

    def of(self, topic: str, partition: int) -> list[Day]:
        """The files of a partition, in order."""
        place = (topic, partition)
        return [day for day in self.files if (day.topic, day.partition) == place]

    def range_of(self, topic: str, partition: int) -> Range | None:
        """What was read of a partition; None if it was never exported."""
        exported = self.topics.get(topic)
        if exported is None or partition >= len(exported.partitions):
            return None
        return exported.partitions[partition]

    def records(self, topic: str) -> int:
        """How many records of a topic are in the files."""
        return sum(day.records for day in self.files if day.topic == topic)


def load(directory: Path) -> Manifest:
    """Raise HadronError if there is no manifest that can be read."""
    path = directory / NAME
    try:
        manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except FileNotFoundError:
        raise HadronError(f"{directory} is no export: it has no {NAME}") from None
    except msgspec.DecodeError as error:
        raise HadronError(f"{path} is no manifest of an export: {error}") from error
    if manifest.format != FORMAT:
        raise HadronError(f"{path} has format {manifest.format}; wanted {FORMAT}")
    return manifest


def begun(directory: Path) -> Manifest:
    """The manifest of a directory, or an empty one for a directory that has none yet."""
    return load(directory) if (directory / NAME).exists() else Manifest()


def save(directory: Path, manifest: Manifest) -> None:
    """Put a manifest in the place of the one before, whole or not at all."""
    text = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
    written = directory / f".{NAME}.writing"
    written.write_bytes(text)
    appear(written, directory / NAME)


def appear(written: Path, path: Path) -> None:
    """Give a file that was written beside its place its name; both are on the disk then."""
    sync(written)
    written.rename(path)
    sync(path.parent)


@contextmanager
def alone(directory: Path) -> Iterator[None]:
    """Keep a second export out of a directory. Raise HadronError if there is one already."""
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / ".lock").open("w") as file:
        try:
            flock(file, LOCK_EX | LOCK_NB)
        except BlockingIOError:
            raise HadronError(f"another export writes to {directory} right now") from None
        yield


def digest(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
