"""Stored facts in memory: tables, chains and anchors, to be attacked by tests."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from connectors import anchors, signing
from connectors.signing import Signer
from connectors.timescale.layout import Place
from connectors.timescale.tables import LAYOUTS, TABLE_OF, TABLES
from connectors.timescale.verifying.expectation import cells, leaf_of
from hadron.audit.anchors import strange
from hadron.audit.chain import Block, block
from hadron.audit.facts import HeadsAnchored, RowsRetired
from hadron.audit.leaves import Leaves
from hadron.audit.retirement import Excused, Going, Holes, certificates, certify, fits
from hadron.audit.verification import (
    Broken,
    Known,
    broken_anchor,
    broken_certificate,
    broken_link,
    broken_row,
)
from tests.support import codec

Row = dict[str, Any]
LEAVES = Leaves(codec().fingerprint)
# A table with facts of several kinds has columns that are empty for some of them.
_COLUMNS = {
    table: [name for layout in LAYOUTS.values() if layout.table == table for name in layout.names]
    for table in TABLES
}


class Vault:
    """`rows` by table, `chains` by partition. Entries are what `audit_chain` would have."""

    def __init__(self, signer: Signer) -> None:
        self.signer = signer
        self.rows: dict[str, list[Row]] = {}
        self.chains: dict[tuple[str, int], list[tuple[Block, bytes]]] = {}
        self.anchors: list[HeadsAnchored] = []

    def store(self, place: tuple[str, int], records: Sequence[tuple[int, Any]]) -> None:
        """One batch: facts at offsets."""
        leaves = []
        for offset, fact in records:
            value = codec().encode(fact)
            at, table = Place(*place, offset), TABLE_OF[type(fact)]
            row = dict.fromkeys(_COLUMNS[table]) | cells(fact, at, value, codec())
            self.rows.setdefault(table, []).append(row)
            leaves.append(LEAVES.record(*at, value))
        self.chain(place, [offset for offset, _ in records], leaves)

    def chain(self, place: tuple[str, int], offsets: list[int], leaves: list[bytes]) -> None:
        """Add an entry to a chain."""
        known = self.chains.setdefault(place, [])
        after = known[-1][0].entry.head if known else None
        one = block(*place, offsets, leaves, after=after, at_ns=len(known))
        known.append((one, one.entry.hash))

    def anchor(self) -> None:
        """Sign the heads as they are."""
        heads = [known[-1][0].entry.head for known in self.chains.values()]
        self.anchors.append(anchors.made(heads, self.signer))

    def certify(self, place: tuple[str, int], offsets: Sequence[int], chunk: str = "") -> None:
        """Sign that rows of ticks go."""
        going = Going(*place, "ticks", chunk, 0, 1)
        blocks = [one for one, _ in self.chains[place]]
        self.anchors.append(
            anchors.made(
                [blocks[-1].entry.head], self.signer, retired=certify(going, blocks, offsets)
            )
        )

    def drop(self, place: tuple[str, int], offsets: Sequence[int]) -> None:
        """Let rows of ticks go."""
        gone = {(*place, offset) for offset in offsets}
        self.rows["ticks"] = [
            row
            for row in self.rows["ticks"]
            if (row["log_topic"], row["log_partition"], row["log_offset"]) not in gone
        ]

    def copy(self) -> Vault:
        """Another one, to be spoilt."""
        other = Vault(self.signer)
        other.rows = {table: [dict(row) for row in rows] for table, rows in self.rows.items()}
        other.chains = {place: list(known) for place, known in self.chains.items()}
        other.anchors = copy.copy(self.anchors)
        return other

    def of(self, place: tuple[str, int]) -> Iterator[tuple[str, Row]]:
        """The rows of a partition with their tables, in the order of offsets."""
        found = [
            (table, row)
            for table, rows in self.rows.items()
            for row in rows
            if (row["log_topic"], row["log_partition"]) == place
        ]
        yield from sorted(found, key=lambda one: one[1]["log_offset"])

    def verify(self) -> list[Broken]:
        """All that is found, as the command finds it."""
        trusted = [self.signer.public]
        wrong = [broken_link(map(_known, known)) for known in self.chains.values()]
        hashes = {
            (*place, one.entry.number): stored
            for place, known in self.chains.items()
            for one, stored in known
        }
        said = strange(self.anchors, trusted, signing.verify)
        wrong += [Broken("anchors", 0, -1, "strange", "", "")] if said else []
        good = [one for one in self.anchors if one not in said]
        wrong.append(broken_anchor(good, hashes))
        retired = [one for one in certificates(good) if fits(one, self._entries(one))]
        self.seen: list[Excused] = []
        for place in self._places():
            holes = Holes(one for one in retired if (one.topic, one.partition) == place)
            wrong.append(self._rows_of(place, holes))
            self.seen += holes.seen()
        wrong += broken_certificate(self.seen)
        return sorted(one for one in wrong if one is not None)

    def _places(self) -> Iterable[tuple[str, int]]:
        stored = {
            (row["log_topic"], row["log_partition"]) for rows in self.rows.values() for row in rows
        }
        return stored | self.chains.keys()

    def _entries(self, one: RowsRetired) -> list[Block]:
        known = [block for block, _ in self.chains.get((one.topic, one.partition), ())]
        return [b for b in known if one.first_entry <= b.entry.number <= one.last_entry]

    def _rows_of(self, place: tuple[str, int], holes: Holes) -> Broken | None:
        found = list(self.of(place))
        leaves = [leaf(table, row) for table, row in found]
        offsets = [row["log_offset"] for _, row in found]
        table = found[0][0] if found else ""
        parts = [(offsets[at : at + 3], leaves[at : at + 3]) for at in range(0, len(found), 3)]
        blocks = [one for one, _ in self.chains.get(place, ())]
        return broken_row(blocks, parts, place=place, table=table, holes=holes)


def a_signer(seed: str) -> Signer:
    """The same key for the same seed."""
    return Signer(Ed25519PrivateKey.from_private_bytes(sha256(seed.encode()).digest()))


def _known(stored: tuple[Block, bytes]) -> Known:
    return Known(stored[0].entry, stored[1])


def leaf(table: str, row: Row) -> bytes:
    """The leaf of a row as verification computes it; of one that was seen before, from memory."""
    key = f"{table} {row!r}"
    if key not in _SEEN:
        _SEEN[key] = leaf_of(table, row, codec(), LEAVES)
    return _SEEN[key]


_SEEN: dict[str, bytes] = {}
