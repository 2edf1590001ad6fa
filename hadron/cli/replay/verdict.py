"""What `hadron replay --compare` prints: `identical` and the hash, or the first difference."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from itertools import chain
from typing import Any

import msgspec
from rich.console import RenderableType
from rich.text import Text

from hadron.audit.names import Name
from hadron.cli.replay.again import Range, Run
from hadron.cli.replay.equality import Compared, Difference


class Report(msgspec.Struct, frozen=True):
    """The whole result. `hash` is the SHA-256 of the replayed facts' hashes, sorted by name."""

    process: str
    identical: bool
    hash: str
    live_hash: str
    entries: int
    records: int
    replayed: int
    live: int
    workers: int
    elapsed_s: float
    records_per_s: int
    ranges: dict[str, list[int]]
    difference: Difference | None
    notes: list[str]


def report(
    run: Run,
    shards: Sequence[Compared],
    ranges: Mapping[int, Range],
    *,
    workers: int,
    elapsed_s: float,
) -> Report:
    """Gather what came of the shards."""
    differences = [shard.difference for shard in shards if shard.difference is not None]
    records = sum(shard.records for shard in shards)
    return Report(
        process=run.process,
        identical=not differences,
        hash=_hash(shard.replayed for shard in shards),
        live_hash=_hash(shard.live for shard in shards),
        entries=sum(bounds.end - bounds.first for bounds in ranges.values()),
        records=records,
        replayed=sum(len(shard.replayed) for shard in shards),
        live=sum(len(shard.live) for shard in shards),
        workers=workers,
        elapsed_s=round(elapsed_s, 2),
        records_per_s=round(records / elapsed_s) if elapsed_s else 0,
        ranges={str(partition): [at.begin, at.end] for partition, at in ranges.items()},
        difference=min(differences, key=_order) if differences else None,
        notes=list(_notes(run, ranges)),
    )


def tables(found: Report) -> list[RenderableType]:
    """The same for people."""
    shown: list[RenderableType] = [
        Text(
            f"{found.process}: {found.entries:,} entries of the journal stepped again,"
            f" {found.records:,} records, {found.elapsed_s:,.1f} s, {found.records_per_s:,}"
            f" records/s by {found.workers} workers"
        ),
        Text(f"{found.replayed:,} facts, {found.live:,} on the log"),
        *(Text(f"note: {note}") for note in found.notes),
    ]
    if found.difference is None:
        return [*shown, Text(f"identical {found.hash}")]
    one = found.difference
    where = f"entry {one.entry}" if one.entry is not None else "no entry"
    return [
        *shown,
        Text(f"DIFFERENT, first at journal partition {one.partition}, {where}: {one.name}"),
        Text(f"live:     {_said(one.live)}"),
        Text(f"replayed: {_said(one.replayed)}"),
    ]


def _notes(run: Run, ranges: Mapping[int, Range]) -> Iterator[str]:
    begun = [str(partition) for partition, bounds in ranges.items() if bounds.first]
    if begun:
        yield (
            f"{run.journal} has lost its first entries, partitions {', '.join(begun)}: facts that"
            " rest on what was before them may differ"
        )


def _order(difference: Difference) -> tuple[bool, int, int]:
    return difference.entry is None, difference.entry or 0, difference.partition


def _hash(shards: Iterable[Mapping[Name, bytes]]) -> str:
    facts = sorted(chain.from_iterable(shard.items() for shard in shards))
    return sha256(b"".join(digest for _, digest in facts)).hexdigest()


def _said(fact: Any) -> str:
    return "nothing" if fact is None else msgspec.json.encode(fact).decode()
