"""Holds what followed from a journal that was stepped again against the log, byte for byte."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Any

import msgspec

from hadron.audit.names import Name
from hadron.cli.replay.again import Run, Stepped
from hadron.ports import Codec, Reading


class Difference(msgspec.Struct, frozen=True):
    """The first fact, in the order of the journal, that is not the same."""

    partition: int
    entry: int | None  # the offset in the journal; None for what only the log has
    name: str
    live: Any
    replayed: Any


class Compared(msgspec.Struct, frozen=True):
    """A shard's facts by their SHA-256: those that follow now, and those on the log."""

    partition: int
    records: int
    replayed: dict[Name, bytes]
    live: dict[Name, bytes]
    difference: Difference | None


def compared(run: Run, shards: Sequence[Stepped], *, log: Reading, codec: Codec) -> list[Compared]:
    """Read the log once for all the shards."""
    live: dict[int, dict[Name, bytes]] = {shard.partition: {} for shard in shards}
    for partition, name, value in _live(run, shards, log=log, codec=codec):
        live[partition][name] = value
    return [_compared(shard, live[shard.partition], codec) for shard in shards]


def _compared(shard: Stepped, live: dict[Name, bytes], codec: Codec) -> Compared:
    return Compared(
        shard.partition,
        shard.records,
        {name: sha256(value).digest() for name, (_, value) in shard.made.items()},
        {name: sha256(value).digest() for name, value in live.items()},
        _difference(shard, live, codec),
    )


def _difference(shard: Stepped, live: dict[Name, bytes], codec: Codec) -> Difference | None:
    for name, (entry, value) in shard.made.items():
        if live.get(name) != value:
            said = codec.decode(live[name]) if name in live else None
            return Difference(shard.partition, entry, str(name), said, codec.decode(value))
    for name in sorted(live.keys() - shard.made.keys()):
        return Difference(shard.partition, None, str(name), codec.decode(live[name]), None)
    return None


def _live(
    run: Run, shards: Sequence[Stepped], *, log: Reading, codec: Codec
) -> Iterator[tuple[int, Name, bytes]]:
    """What the log has that follows from the records that shards have stepped."""
    covered = {shard.partition: shard.covered for shard in shards}
    # Most will be as they were: what is known by its bytes need not be read.
    known = {value: name for shard in shards for name, (_, value) in shard.made.items()}
    places = [(run.topic, number) for number in range(run.partitions)]
    ends, starts = log.ends(places), log.starts(places)
    for place in places:
        if starts[place] == ends[place]:
            continue
        for record in log.read(*place, start=starts[place], end=ends[place]):
            if record.value is None:
                continue
            name = known.get(record.value) or codec.name(record.value)
            first, end = covered.get(name.partition, {}).get(name.source, (0, 0))
            if first <= name.offset < end:
                yield name.partition, name, record.value
