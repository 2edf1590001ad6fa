"""Whether an export is whole: by its own files alone, so that a stranger can do the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import msgspec

from connectors.parquet import chains
from connectors.parquet import manifest as manifests
from connectors.parquet.columns import schema_id, sha256
from connectors.parquet.day import DAY_MS, METADATA, batches, metadata, number_of
from connectors.parquet.manifest import Day, Manifest
from hadron.audit.verification import Known, broken_block, broken_link
from hadron.errors import HadronError


class Finding(msgspec.Struct, frozen=True):
    """What is wrong, and where."""

    path: str
    problem: str


def check(
    directory: Path, progress: Callable[[str, int, int], None] = lambda *_: None
) -> tuple[Manifest, list[Finding]]:
    """Compare every file and every record with what the manifest says of them."""
    manifest = manifests.load(directory)
    findings = [*_layout(directory, manifest), *_chains(directory)]
    for number, day in enumerate(manifest.files, 1):
        findings += [Finding(day.path, problem) for problem in _file(directory, day)]
        progress("files", number, len(manifest.files))
    return manifest, findings


def _layout(directory: Path, manifest: Manifest) -> Iterator[Finding]:
    known = {day.path for day in manifest.files}
    for path in sorted(directory.rglob("*.parquet")):
        name = path.relative_to(directory).as_posix()
        if name not in known and not name.startswith(f"{chains.FOLDER}/"):
            yield Finding(name, "is not in the manifest")
    for topic, exported in manifest.topics.items():
        for partition, within in enumerate(exported.partitions):
            days = manifest.of(topic, partition)
            for before, after in pairwise(days):
                if after.first <= before.last or after.day <= before.day:
                    yield Finding(after.path, f"does not come after {before.path}")
            if days and not within.start <= days[0].first <= days[-1].last < within.end:
                outside = f"lies outside of {within.start} to {within.end}"
                yield Finding(f"{topic}/{partition}", outside)
    for day in manifest.files:
        if manifest.range_of(day.topic, day.partition) is None:
            yield Finding(day.path, "is of a partition that the manifest does not know")


def _chains(directory: Path) -> Iterator[Finding]:
    """They say of themselves whether they are whole; who wrote them, only anchors say."""
    for place in chains.places(directory):
        where = f"{chains.FOLDER}/{place[0]}/{place[1]}"
        known: list[Known] = []
        try:
            for block in chains.read(directory, place):
                known.append(Known(block.entry, block.entry.hash))
                if (wrong := broken_block(block)) is not None:
                    yield Finding(where, wrong.what)
        except HadronError as error:
            yield Finding(where, str(error))
        if (link := broken_link(known)) is not None:
            yield Finding(where, link.what)


def _file(directory: Path, day: Day) -> Iterator[str]:
    path = directory / day.path
    if not path.is_file():
        yield "is missing"
        return
    if (seen := manifests.digest(path)) != day.sha256:
        yield f"SHA-256 is {seen}, the manifest has {day.sha256}"
    try:
        said = metadata(path)
        for name in METADATA:
            if said[name] != str(getattr(day, name)):
                yield f"{name} is {said[name]!r}, the manifest has {getattr(day, name)!r}"
        yield from _records(path, day)
    except HadronError as error:
        yield str(error)


def _records(path: Path, day: Day) -> Iterator[str]:
    before, count, first, times = -1, 0, -1, set[int]()
    for batch in batches(path):
        offsets, values, ids, hashes, stamps = (
            batch.column(name).to_pylist()
            for name in ("offset", "value", "schema_id", "sha256", "timestamp_ms")
        )
        for offset, value, id, hash in zip(offsets, values, ids, hashes, strict=True):
            if offset <= before:
                yield f"offset {offset} comes after {before}"
            if sha256(value) != hash:
                yield f"the value at offset {offset} is not what its SHA-256 says"
            if schema_id(value) != id:
                yield f"the value at offset {offset} does not have schema id {id}"
            before = offset
        first = offsets[0] if count == 0 and offsets else first
        count += len(offsets)
        times |= {min(stamps), max(stamps)} if stamps else set()
    seen = (first, before, count, *((min(times), max(times)) if times else (-1, -1)))
    if seen != (day.first, day.last, day.records, day.earliest_ms, day.latest_ms):
        yield f"first, last, records, earliest_ms, latest_ms are {seen}, not as in the manifest"
    if times and max(times) // DAY_MS > number_of(day.day):
        yield f"has a record of a later day than {day.day}"
