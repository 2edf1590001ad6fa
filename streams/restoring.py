"""Brings a shard back from its newest checkpoint and the log."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import msgspec

from hadron.audit.checkpoints import BASE_EVERY, Recovered, have_base, recover
from hadron.audit.facts import CheckpointTaken, SlicesSequenced
from hadron.audit.journal import Read, followed
from hadron.audit.names import Name
from hadron.fold import Fold
from hadron.ports import Codec, Reading, Record
from streams.shard import Place, Shard

RESTORE_SLICE = 1_000
RESTORE_ENTRIES = 10_000  # of a journal: for so many at once, each source is opened


class Followed(msgspec.Struct, frozen=True):
    """An entry of the journal, where it lies, and the facts that follow from what it names."""

    record: Record
    entry: SlicesSequenced
    facts: list[Any]


def restored(place: Place, partition: int, fold: Fold, *, log: Reading, codec: Codec) -> Shard:
    """A shard as its newest checkpoint left it, knowing what was written after that.

    Blocks while it reads the log.
    """
    recovered = newest_checkpoint(place, partition, log=log, codec=codec)
    shard = Shard(place, partition, fold, recovered)
    if recovered.number:
        shard.written = _written_since(place, partition, recovered, log=log, codec=codec)
    return shard


def newest_checkpoint(place: Place, partition: int, *, log: Reading, codec: Codec) -> Recovered:
    """What the newest whole checkpoint of a shard says. Blocks while it reads the log."""
    return recover(_newest_checkpoints(log, place.state_topic, partition, codec=codec))


def follow(
    shard: Shard, place: Place, *, log: Reading, codec: Codec, end: int | None = None
) -> Iterator[Followed]:
    """Step what the journal has behind our place in it, in its order, up to an end or its own.

    Blocks while it reads the log.
    """
    assert place.journal is not None
    journal = (place.names.write(place.journal), shard.partition)
    last, first = log.ends([journal])[journal], log.starts([journal])[journal]
    end = last if end is None else min(end, last)
    entries_of = log.read(*journal, start=max(first, shard.followed), end=end)
    for records in _batches(entries_of, most=RESTORE_ENTRIES):
        entries = [codec.decode(record.value or b"") for record in records]
        stepped = followed(entries, _reader(shard, place, log))
        for record, entry, slices in zip(records, entries, stepped, strict=True):
            facts: list[Any] = []
            for topic, found in slices:
                facts += shard.step(topic, found, codec)
            shard.follow_to(record.offset + 1)
            yield Followed(record, entry, facts)
    shard.follow_to(end)


def unread(shard: Shard, place: Place, *, log: Reading) -> Iterator[tuple[str, list[Record]]]:
    """What must be known before anything else is stepped, up to its present end.

    Blocks while it reads the log.
    """
    for topic in place.flow.bootstrap:
        name = place.names.read(topic)
        source = (name, shard.partition)
        end, first = log.ends([source])[source], log.starts([source])[source]
        start = max(first, shard.positions.get((topic, shard.partition), 0))
        if start < end:
            records = log.read(name, shard.partition, start=start, end=end)
            for batch in _batches(records, most=RESTORE_SLICE):
                yield topic, batch


def _reader(shard: Shard, place: Place, log: Reading) -> Read:
    def read(topic: str, first: int, end: int) -> Iterable[Record]:
        start = max(first, shard.positions.get((topic, shard.partition), 0))
        if start >= end:
            return ()
        return log.read(place.names.read(topic), shard.partition, start=start, end=end)

    return read


def _written_since(
    place: Place, partition: int, recovered: Recovered, *, log: Reading, codec: Codec
) -> dict[Name, set[int]]:
    """What this shard wrote after its checkpoint, and on which partitions of its topic it lies."""
    ends, starts = log.ends(recovered.ends), log.starts(recovered.ends)
    written: dict[Name, set[int]] = {}
    for (topic, output), before in recovered.ends.items():
        start, end = max(before, starts[topic, output]), ends[topic, output]
        for record in log.read(topic, output, start=start, end=end) if start < end else ():
            if record.value is None:
                continue
            name = codec.name(record.value)
            if name.partition == partition and name.source in place.flow.sources:
                written.setdefault(name, set()).add(output)
    return written


def _newest_checkpoints(
    log: Reading, topic: str, partition: int, *, codec: Codec
) -> list[CheckpointTaken]:
    """Those that `recover` needs, from the end: Kafka compacts what they replaced much later."""
    place = (topic, partition)
    first, before, reach = log.starts([place])[place], log.ends([place])[place], 2 * BASE_EVERY
    found: list[CheckpointTaken] = []
    while before > first and not have_base(found):
        start = max(first, before - reach)
        records = log.read(topic, partition, start=start, end=before)
        found = [codec.decode(one.value) for one in records if one.value is not None] + found
        before, reach = start, 4 * reach
    return found


def _batches(records: Iterable[Record], *, most: int) -> Iterable[list[Record]]:
    records = iter(records)
    while batch := list(islice(records, most)):
        yield batch
