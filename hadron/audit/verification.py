"""Whether stored records are those that were chained, and chains those that were anchored.

Pure: rows come as offsets and leaves, in slices, in the order of their offsets. In place of the
leaf of a row that is not as the archive writes rows stands a sentence that says so, as bytes.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from hadron.audit.anchors import standing
from hadron.audit.chain import FIRST_PREVIOUS, Block, Entry
from hadron.audit.facts import ChainHead, HeadsAnchored
from hadron.audit.leaves import SIZE, tombstone
from hadron.audit.merkle import root
from hadron.audit.retirement import Excused, Holes

Slice = tuple[Sequence[int], Sequence[bytes]]  # offsets and leaves
Place = tuple[str, int]


class Broken(msgspec.Struct, frozen=True, order=True):
    """Something that is not as it was written. `offset` is -1 where it is the chain as a whole."""

    topic: str
    partition: int
    offset: int
    what: str
    expected: str
    seen: str
    table: str = ""


class Known(msgspec.Struct, frozen=True):
    """An entry as it is stored, with the hash that is stored beside it."""

    entry: Entry
    hash: bytes


def broken_link(chain: Iterable[Known]) -> Broken | None:
    """The first entry, in their order, that does not follow from the one before."""
    before: Entry | None = None
    previous = FIRST_PREVIOUS
    for known in chain:
        entry = known.entry
        number, after = (before.number + 1, before.last) if before else (0, -1)
        if entry.number != number:
            return _entry(entry, "an entry is missing", number, entry.number)
        if entry.previous != previous:
            return _entry(entry, "an entry does not follow", previous, entry.previous)
        if known.hash != (found := _hash(entry)):
            return _entry(entry, "an entry was changed", known.hash, found)
        if not after < entry.first <= entry.last:
            return _entry(entry, "an entry overlaps", f"from {after + 1}", f"from {entry.first}")
        before, previous = entry, known.hash
    return None


def broken_anchor(
    anchors: Iterable[HeadsAnchored], hashes: Mapping[tuple[str, int, int], bytes]
) -> Broken | None:
    """The first head, by time, that was signed and is not in its chain any more."""
    wrong = (broken_head(heads, hashes) for _, heads in standing(anchors))
    return next((one for one in wrong if one is not None), None)


def broken_head(
    heads: Iterable[ChainHead], hashes: Mapping[tuple[str, int, int], bytes]
) -> Broken | None:
    """The first of heads that is not in its chain."""
    for head in heads:
        found = hashes.get((head.topic, head.partition, head.number))
        if found != head.hash:
            return Broken(
                head.topic,
                head.partition,
                head.last,
                f"entry {head.number} is not the one that was anchored",
                _told(head.hash),
                "none" if found is None else _told(found),
                "audit_chain",
            )
    return None


def broken_block(block: Block) -> Broken | None:
    """What is wrong with the leaves of an entry, before any row is looked at."""
    entry, counts = block.entry, block.runs[1::2]
    if len(block.leaves) != entry.count * SIZE or root(block.leaves) != entry.root:
        return _entry(entry, "the leaves of an entry were changed", entry.root, "another root")
    dense = entry.last - entry.first + 1 == entry.count
    whole = not block.runs if dense else sum(counts) == entry.count and min(counts) > 0
    if not whole or len(block.runs) % 2:
        return _entry(entry, "the runs of an entry were changed", entry.count, sum(counts))
    offsets = block.offsets()
    if (offsets[0], offsets[-1]) != (entry.first, entry.last):
        return _entry(entry, "the runs of an entry were changed", entry.first, offsets[0])
    return None


def broken_row(
    blocks: Iterable[Block],
    rows: Iterable[Slice],
    *,
    place: Place,
    table: str,
    holes: Holes | None = None,
) -> Broken | None:
    """The first row of a partition that is not what was chained, or is missing, or too many.

    Every row that is given must belong to one of the blocks. `holes` are those that may be missing.
    """
    left, holes = _Rows(rows), holes or Holes()
    for block in blocks:
        if (wrong := broken_block(block)) is not None:
            return wrong
        offsets, leaves = left.up_to(block.entry.last)
        if b"".join(leaves) == block.leaves and (
            not block.runs or offsets == list(block.offsets())
        ):
            holes.excused(block, ())
            continue
        wrong = _first(block, offsets, leaves, table, holes)
        if wrong is not None:
            return wrong
    beyond, leaves = left.up_to(None)
    if beyond:
        return _row(place, beyond[0], "a row that was never chained", b"", leaves[0], table)
    return None


def broken_certificate(seen: Iterable[Excused]) -> Iterator[Broken]:
    """Certificates of which some rows are gone and others are not: they were not dropped with it.

    `seen` may have a certificate in parts, one for each part of its chain.
    """
    parts: dict[tuple[str, int, str, int, bytes], list[Excused]] = {}
    for one in seen:
        of = one.certificate
        key = (of.topic, of.partition, of.table, of.first, of.root)
        parts.setdefault(key, []).append(one)
    for (topic, partition, table, _, _), known in parts.items():
        gone, there = sum(one.gone for one in known), sum(one.there for one in known)
        if gone and there:
            first = min(one.first_gone for one in known if one.gone)
            what = "rows are gone with a certificate, and others that it names are not"
            yield Broken(topic, partition, first, what, "all or none", f"{there} rows left", table)


class _Rows:
    """Hands rows out block by block."""

    def __init__(self, slices: Iterable[Slice]) -> None:
        self._slices: Iterator[Slice] = iter(slices)
        self._offsets: list[int] = []
        self._leaves: list[bytes] = []

    def up_to(self, last: int | None) -> tuple[list[int], list[bytes]]:
        """The rows up to an offset that were not handed out yet; at the end, some of the rest."""
        while last is not None or not self._offsets:
            if self._offsets and last is not None and self._offsets[-1] > last:
                break
            more = next(self._slices, None)
            if more is None:
                break
            self._offsets += more[0]
            self._leaves += more[1]
        cut = len(self._offsets) if last is None else bisect_right(self._offsets, last)
        taken = self._offsets[:cut], self._leaves[:cut]
        del self._offsets[:cut], self._leaves[:cut]
        return taken


def _first(
    block: Block, offsets: Sequence[int], leaves: Sequence[bytes], table: str, holes: Holes
) -> Broken | None:
    place = (block.entry.topic, block.entry.partition)
    expected = {offset: block.leaf(index) for index, offset in enumerate(block.offsets())}
    found: dict[int, bytes] = {}
    wrong: list[Broken] = []
    for offset, leaf in zip(offsets, leaves, strict=True):
        if offset in found:
            wrong.append(_row(place, offset, "two rows", expected.get(offset), leaf, table))
        elif offset not in expected:
            wrong.append(_row(place, offset, "a row that was never chained", b"", leaf, table))
        elif leaf != expected[offset]:
            what = "a row is not what was chained"
            wrong.append(_row(place, offset, what, expected[offset], leaf, table))
        found[offset] = leaf
    missing = expected.keys() - found.keys()
    for offset in sorted(missing - holes.excused(block, missing)):
        if expected[offset] != tombstone(*place, offset):
            wrong.append(_row(place, offset, "a row is missing", expected[offset], b"", table))
    return min(wrong, default=None)


def _hash(entry: Entry) -> bytes:
    try:
        return entry.hash
    except struct.error:
        return b"numbers that no entry has"


def _row(
    place: Place, offset: int, what: str, expected: bytes | None, seen: bytes, table: str
) -> Broken:
    return Broken(*place, offset, what, _told(expected or b""), _told(seen), table)


def _entry(entry: Entry, what: str, expected: object, seen: object) -> Broken:
    where = f"{what}: number {entry.number}"
    place = (entry.topic, entry.partition, entry.first)
    return Broken(*place, where, _told(expected), _told(seen), "audit_chain")


def _told(what: object) -> str:
    if not isinstance(what, bytes):
        return str(what)
    if not what:
        return "no row"
    return what.hex() if len(what) == SIZE else what.decode("utf-8", "replace")
