"""The chain of one partition: each batch of records it stored, bound to the batch before."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from hashlib import sha256
from itertools import chain

import msgspec

from hadron.audit.facts import ChainHead
from hadron.audit.leaves import SIZE
from hadron.audit.merkle import root

FIRST_PREVIOUS = bytes(SIZE)
_ENTRY = b"\2"  # no leaf and no node begins with it
_NUMBERS = struct.Struct(">IQQQIq")


class Entry(msgspec.Struct, frozen=True):
    """One batch of a partition: `count` records from offset `first` to `last`.

    `at_ns` is the archive's clock. `number` counts the entries of a chain from 0.
    """

    topic: str
    partition: int
    number: int
    first: int
    last: int
    count: int
    at_ns: int
    root: bytes
    previous: bytes

    @property
    def hash(self) -> bytes:
        """What the next entry binds itself to, and what is anchored."""
        name = self.topic.encode()
        numbers = _NUMBERS.pack(
            self.partition, self.number, self.first, self.last, self.count, self.at_ns
        )
        parts = (_ENTRY, len(name).to_bytes(2), name, numbers, self.root, self.previous)
        return sha256(b"".join(parts)).digest()

    @property
    def head(self) -> ChainHead:
        """The chain that ends here."""
        return ChainHead(self.topic, self.partition, self.number, self.last, self.hash)


class Block(msgspec.Struct, frozen=True):
    """An entry with the leaves under its root, one after the other.

    `runs` has (first offset, records) of each run of offsets without a gap; empty where there is
    one run.
    """

    entry: Entry
    leaves: bytes
    runs: tuple[int, ...] = ()

    def offsets(self) -> Sequence[int]:
        """The offset of each leaf."""
        if not self.runs:
            return range(self.entry.first, self.entry.first + self.entry.count)
        pairs = zip(self.runs[::2], self.runs[1::2], strict=True)
        return [*chain.from_iterable(range(first, first + count) for first, count in pairs)]

    def leaf(self, index: int) -> bytes:
        """The leaf at a place in the tree."""
        return self.leaves[index * SIZE : (index + 1) * SIZE]


def block(
    topic: str,
    partition: int,
    offsets: Sequence[int],
    leaves: Sequence[bytes],
    *,
    after: ChainHead | None,
    at_ns: int,
) -> Block:
    """The next block of a chain, over records in the order of their offsets."""
    joined = b"".join(leaves)
    entry = Entry(
        topic=topic,
        partition=partition,
        number=after.number + 1 if after else 0,
        first=offsets[0],
        last=offsets[-1],
        count=len(offsets),
        at_ns=at_ns,
        root=root(joined),
        previous=after.hash if after else FIRST_PREVIOUS,
    )
    dense = entry.last - entry.first + 1 == entry.count
    return Block(entry, joined, () if dense else tuple(runs_of(offsets)))


def runs_of(offsets: Sequence[int]) -> list[int]:
    """First offset and number of each run of ascending offsets without a gap."""
    return list(_runs(offsets))


def _runs(offsets: Sequence[int]) -> Iterator[int]:
    begin = 0
    for place in range(1, len(offsets) + 1):
        if place == len(offsets) or offsets[place] != offsets[place - 1] + 1:
            yield offsets[begin]
            yield place - begin
            begin = place
