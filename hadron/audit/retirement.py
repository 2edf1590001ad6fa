"""Certificates of rows that went: how they are made, whether they fit a chain, what they excuse.

Rows go, the chain stays with the leaf of each. A certificate names rows by offset, by the Merkle
root of their leaves and by the hash of the entry that the last of them is in, which binds all
before it. So it speaks of one chain and of no other, and it is signed as an anchor is.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Sequence

import msgspec

from hadron.audit.chain import Block, runs_of
from hadron.audit.facts import HeadsAnchored, RowsRetired
from hadron.audit.merkle import root

# Of one certificate, so that it fits into a record and its leaves into memory.
MOST_ROWS, MOST_RUNS = 500_000, 20_000
AGE, RESTORE = "age", "restore"


class Going(msgspec.Struct, frozen=True):
    """Rows of one partition that are to go, but for their offsets."""

    topic: str
    partition: int
    table: str
    chunk: str
    from_ns: int
    until_ns: int
    why: str = AGE


class Excused(msgspec.Struct, frozen=True):
    """What was seen of the rows of one certificate, and the first offset that is gone."""

    certificate: RowsRetired
    gone: int
    there: int
    first_gone: int = -1


def certify(going: Going, blocks: Iterable[Block], offsets: Iterable[int]) -> list[RowsRetired]:
    """Certificates of the rows at `offsets`, which are ascending and all within the blocks."""
    waiting, found = iter(offsets), list[RowsRetired]()
    piece = _Piece(going)
    following = next(waiting, None)
    for block in blocks:
        taken: list[int] = []
        while following is not None and following <= block.entry.last:
            taken.append(following)
            following = next(waiting, None)
        if taken and not piece.has_room(len(taken)):
            found.append(piece.certificate())
            piece = _Piece(going)
        if taken:
            piece.add(block, taken)
    if following is not None:
        raise ValueError(f"offset {following} is in none of the blocks")
    return [*found, piece.certificate()] if piece.offsets else found


def fits(one: RowsRetired, blocks: Iterable[Block]) -> bool:
    """Whether a certificate speaks of this chain, of which `blocks` are the entries it names."""
    runs, leaves, last = _ends(one), list[bytes](), None
    for block in blocks:
        last = block.entry
        leaves += [block.leaf(index) for index in _inside(block, runs)]
    if last is None or (last.number, last.hash) != (one.last_entry, one.entry_hash):
        return False
    return len(leaves) == one.rows > 0 and root(b"".join(leaves)) == one.root


class Holes:
    """The certificates of one partition, and what was seen of their rows so far: `gone` rows."""

    def __init__(self, certificates: Iterable[RowsRetired] = ()) -> None:
        self._known = [(one, _ends(one)) for one in certificates]
        self._seen = [(0, 0, -1) for _ in self._known]
        self.gone = 0

    def excused(self, block: Block, missing: Collection[int]) -> set[int]:
        """Of the rows of a block that are missing, those that may be."""
        found: set[int] = set()
        entry = block.entry
        for index, (one, runs) in enumerate(self._known):
            if one.last < entry.first or entry.last < one.first:
                continue
            offsets = block.offsets()
            inside = {offsets[at] for at in _inside(block, runs)}
            lost = inside.intersection(missing)
            found |= lost
            gone, there, first = self._seen[index]
            if lost:
                first = min(lost) if first < 0 else min(first, min(lost))
            self._seen[index] = (gone + len(lost), there + len(inside) - len(lost), first)
        self.gone += len(found)
        return found

    def seen(self) -> list[Excused]:
        """Of each certificate, how many of its rows are gone and how many are there."""
        pairs = zip(self._known, self._seen, strict=True)
        return [Excused(one, *seen) for (one, _), seen in pairs]


def certificates(anchors: Iterable[HeadsAnchored]) -> list[RowsRetired]:
    """Those of anchors, each once."""
    found = {msgspec.json.encode(one): one for anchor in anchors for one in anchor.retired}
    return list(found.values())


class _Piece:
    """Rows that one certificate will name."""

    def __init__(self, going: Going) -> None:
        self._going = going
        self.offsets: list[int] = []
        self._leaves: list[bytes] = []
        self._blocks: list[Block] = []
        self._breaks = 0

    def has_room(self, more: int) -> bool:
        """Whether the rows of another block fit."""
        if not self.offsets:
            return True
        return len(self.offsets) + more <= MOST_ROWS and self._breaks < MOST_RUNS

    def add(self, block: Block, offsets: Sequence[int]) -> None:
        """Take rows of a block."""
        known = block.offsets()
        for offset in offsets:
            at = bisect_left(known, offset)
            if at == len(known) or known[at] != offset:
                raise ValueError(f"offset {offset} is in none of the blocks")
            self._leaves.append(block.leaf(at))
        self._breaks += len(runs_of(offsets)) // 2
        self.offsets += offsets
        self._blocks = [*self._blocks[:1], block]

    def certificate(self) -> RowsRetired:
        """What is to be signed."""
        going, last = self._going, self._blocks[-1].entry
        return RowsRetired(
            topic=going.topic,
            partition=going.partition,
            table=going.table,
            chunk=going.chunk,
            from_ns=going.from_ns,
            until_ns=going.until_ns,
            rows=len(self.offsets),
            runs=runs_of(self.offsets),
            root=root(b"".join(self._leaves)),
            first_entry=self._blocks[0].entry.number,
            last_entry=last.number,
            entry_hash=last.hash,
            why=going.why,
        )


def _ends(one: RowsRetired) -> list[tuple[int, int]]:
    """The runs as [first, end), ascending."""
    pairs = zip(one.runs[::2], one.runs[1::2], strict=False)
    return sorted((first, first + count) for first, count in pairs)


def _inside(block: Block, runs: Sequence[tuple[int, int]]) -> Iterator[int]:
    """Where in a block the leaves of these offsets are."""
    offsets, entry = block.offsets(), block.entry
    begin = bisect_left(runs, entry.first, key=lambda run: run[1])
    for first, end in runs[begin:]:
        if first > entry.last:
            break
        yield from range(bisect_left(offsets, first), bisect_left(offsets, end))
