"""What code does that has a second version of contracts, with rows that the code before it wrote.

Run by `test_versions`, in a copy of the code: reads pickled `Stored` from stdin, writes `Found`.
"""

from __future__ import annotations

import pickle
import sys
from typing import Any, NamedTuple

import msgspec

import schemas
from connectors.timescale import records
from connectors.timescale.layout import Place
from connectors.timescale.raw import RawRows
from connectors.timescale.tables import LAYOUTS, TABLE_OF
from connectors.timescale.ticks import Prices, TickRows
from connectors.timescale.verifying.expectation import cells, leaf_of
from connectors.timescale.verifying.raw_leaves import RawLeaves
from connectors.timescale.verifying.tick_leaves import TickLeaves
from hadron.audit.facts import RecordPoisoned
from hadron.audit.leaves import Leaves
from hadron.envelope import AvroCodec, Version

CODEC = AvroCodec([Version(c.id, c.name, c.schema) for c in schemas.catalogue()])
LEAVES = Leaves(CODEC.fingerprint)


class Stored(NamedTuple):
    """A record that the first version of its contract wrote, with its row.

    And as COPY sends the row, if it is one of many: as it is, and with the mark of the second.
    """

    place: tuple[str, int, int]
    value: bytes
    row: dict[str, Any]
    copied: bytes
    copied_later: bytes


class Found(NamedTuple):
    """What became of a record of the first version, and of its fact as the second writes it."""

    kind: str
    version: int
    reread: bytes
    leaf: bytes
    in_bulk: bytes
    row: dict[str, Any]  # as it would be stored now
    later: bytes
    later_version: int
    later_row: dict[str, Any]
    later_reread: bytes
    later_leaf: bytes
    later_leaf_wanted: bytes
    later_in_bulk: bytes
    later_leaf_claimed_older: bytes
    hot: bytes  # the row that is written straight, of the later record


def main() -> None:
    said: list[tuple[Any, ...]] = pickle.loads(sys.stdin.buffer.read())
    found = [tuple(_found(Stored(*one))) for one in said]
    sys.stdout.buffer.write(pickle.dumps(found))


def _found(stored: Stored) -> Found:
    place = Place(*stored.place)
    fact = CODEC.decode(stored.value)
    table = TABLE_OF[type(fact)]
    names = [name for one in LAYOUTS.values() if one.table == table for name in one.names]
    row = dict.fromkeys(names) | stored.row  # a column that was added since is empty
    later = CODEC.encode(fact)
    later_row = dict.fromkeys(names) | cells(fact, place, later, CODEC)
    return Found(
        kind=type(fact).__name__,
        version=CODEC.version(stored.value) or 0,
        reread=records.value(table, _parsed(table, row), CODEC),
        leaf=leaf_of(table, row, CODEC, LEAVES),
        in_bulk=_in_bulk(table, place, stored.copied),
        row=dict.fromkeys(names) | cells(fact, place, stored.value, CODEC),
        later=later,
        later_version=CODEC.version(later) or 0,
        later_row=later_row,
        later_reread=records.value(table, _parsed(table, later_row), CODEC),
        later_leaf=leaf_of(table, later_row, CODEC, LEAVES),
        later_leaf_wanted=_leaf(fact, place, later),
        later_in_bulk=_in_bulk(table, place, stored.copied_later),
        later_leaf_claimed_older=leaf_of(table, later_row | {"record": None}, CODEC, LEAVES),
        hot=_hot(table, place, later),
    )


def _leaf(fact: Any, place: Place, value: bytes) -> bytes:
    return (LEAVES.letter if type(fact) is RecordPoisoned else LEAVES.record)(*place, value)


def _parsed(table: str, row: dict[str, Any]) -> dict[str, Any]:
    """As rows are read for people: JSON is no text."""
    types = dict(
        pair
        for one in LAYOUTS.values()
        if one.table == table
        for pair in zip(one.names, one.types, strict=False)
    )
    return {
        name: msgspec.json.decode(cell) if types.get(name) == "json" and cell is not None else cell
        for name, cell in row.items()
    }


def _in_bulk(table: str, place: Place, copied: bytes) -> bytes:
    nobody: Any = None
    if not copied:
        return b""
    reader = (TickLeaves if table == "ticks" else RawLeaves)(place[:2], CODEC, LEAVES)
    _, [leaf] = reader._slice([copied], nobody)
    return bytes(leaf)


def _hot(table: str, place: Place, value: bytes) -> bytes:
    if table == "ticks":
        return TickRows(*place[:2], CODEC, Prices()).rows([place.offset], [value])[0]
    if table == "raw_events":
        return RawRows(*place[:2], CODEC).rows([place.offset], [value])[0]
    return b""


if __name__ == "__main__":
    main()
