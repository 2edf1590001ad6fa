"""The chains of a database out into an export, and into the database that takes its place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec
import psycopg

from connectors.parquet import chains as files
from connectors.parquet.day import offsets as day_offsets
from connectors.parquet.manifest import Manifest
from connectors.timescale import chain
from connectors.timescale.errors import our_errors
from connectors.timescale.verifying import chains
from hadron.audit.anchors import standing
from hadron.audit.chain import Block
from hadron.audit.facts import ChainHead, HeadsAnchored, RowsRetired
from hadron.audit.leaves import tombstone
from hadron.audit.retirement import RESTORE, Going, certify
from hadron.audit.verification import Broken, Known, broken_block, broken_head, broken_link
from hadron.errors import HadronError
from hadron.topics import Topic

Place = tuple[str, int]
Bounds = tuple[int, int]  # [start, end)

_ENDS = "SELECT topic, partition, max(number) FROM audit_chain GROUP BY 1, 2 ORDER BY 1, 2"
_BEGUN = "SELECT EXISTS (SELECT FROM audit_chain) OR EXISTS (SELECT FROM consumer_offsets)"
_AT_ONCE = 100


class Restored(msgspec.Struct, frozen=True):
    """A chain that is in the database again, up to its entry `number` and offset `last`."""

    topic: str
    partition: int
    number: int
    last: int


def export(url: str, directory: Path) -> int:
    """Add to an export what the chains of a database have more; return how many entries.

    Raise HadronError where the database has another chain than the export.
    """
    added = 0
    with our_errors(), psycopg.connect(url) as connection:
        for topic, partition, number in connection.execute(_ENDS).fetchall():
            place = (topic, partition)
            before = files.end(directory, place)
            first = before.number + 1 if before else 0
            more = chains.entries(connection, place, first, number)
            added += files.add(directory, place, more)
    return added


def heads(directory: Path, anchors: Sequence[HeadsAnchored]) -> list[ChainHead]:
    """The ends of the chains of an export. Raise HadronError if they are not what was signed."""
    hashes: dict[tuple[str, int, int], bytes] = {}
    found: list[ChainHead] = []
    for place in files.places(directory):
        known: list[Known] = []
        for block in files.read(directory, place):
            _refuse(directory, broken_block(block))
            known.append(Known(block.entry, block.entry.hash))
        _refuse(directory, broken_link(known))
        hashes |= {(*place, one.entry.number): one.hash for one in known}
        if known:
            found.append(known[-1].entry.head)
    ends = {(head.topic, head.partition): head.number for head in found}
    for _, said in standing(anchors):
        reached = [one for one in said if one.number <= ends.get((one.topic, one.partition), -1)]
        _refuse(directory, broken_head(reached, hashes))
    return found


def lost(anchors: Iterable[HeadsAnchored], restored: Iterable[ChainHead]) -> list[ChainHead]:
    """The heads that were signed and that the chains of an export do not reach."""
    ends = {(head.topic, head.partition): head.number for head in restored}
    return [
        head
        for _, said in standing(anchors)
        for head in said
        if head.number > ends.get((head.topic, head.partition), -1)
    ]


def missing(
    directory: Path, manifest: Manifest, topics: Mapping[str, Topic], kafka: Mapping[Place, Bounds]
) -> list[RowsRetired]:
    """Certificates of what was chained and cannot be restored: compaction took it, or it was older
    than the export. `kafka` has the offsets that the log has of each partition.
    """
    found: list[RowsRetired] = []
    for place in files.places(directory):
        table = chains.table_of(place[0])
        if table is None or place[0] not in topics:
            continue
        there = _Exported(directory, manifest, place)
        start, end = kafka.get(place, (0, 0))
        compacted = topics[place[0]].compacted
        gone = [
            offset
            for block in files.read(directory, place)
            for index, offset in enumerate(block.offsets())
            if not there.has(offset)
            and (compacted or not start <= offset < end)
            and block.leaf(index) != tombstone(*place, offset)
        ]
        going = Going(*place, table, "", 0, 0, RESTORE)
        found += certify(going, files.read(directory, place), gone)
    return found


class _Exported:
    """Whether an export has a record, asked in the order of offsets."""

    def __init__(self, directory: Path, manifest: Manifest, place: Place) -> None:
        within = manifest.range_of(*place)
        self._end = within.end if within is not None else 0
        self._left = (
            offset for day in manifest.of(*place) for offset in day_offsets(directory / day.path)
        )
        self._next: int | None = next(self._left, None)

    def has(self, offset: int) -> bool:
        while self._next is not None and self._next < offset:
            self._next = next(self._left, None)
        # What came after the export is on the log, or lost with its anchors.
        return offset == self._next or offset >= self._end


def import_(url: str, directory: Path) -> list[Restored]:
    """Put the chains of an export into a database that has none, all of them or none.

    The archive then stores the records again and goes on where they end.
    """
    found: list[Restored] = []
    with our_errors(), psycopg.connect(url) as connection:
        if connection.execute(_BEGUN).fetchall() != [(False,)]:
            raise HadronError(
                "the database has chains or offsets already; wanted one that is migrated and that"
                " no archive has written to"
            )
        for place in files.places(directory):
            last = None
            for some in _some(files.read(directory, place)):
                chain.insert(connection, some)
                last = some[-1].entry
            if last is not None:
                found.append(Restored(*place, last.number, last.last))
    return found


def _refuse(directory: Path, wrong: Broken | None) -> None:
    if wrong is not None:
        raise HadronError(
            f"the chains in {directory} are not what was written: {wrong.topic}/{wrong.partition},"
            f" {wrong.what}"
        )


def _some(blocks: Iterable[Block]) -> Iterator[list[Block]]:
    waiting: list[Block] = []
    for block in blocks:
        waiting.append(block)
        if len(waiting) == _AT_ONCE:
            yield waiting
            waiting = []
    if waiting:
        yield waiting
