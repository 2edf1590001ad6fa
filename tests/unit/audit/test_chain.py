"""An entry of a chain stands for its records, their place, and all entries before it."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hadron.audit.chain import FIRST_PREVIOUS, Block, block
from hadron.audit.leaves import RECORD, Leaves, leaf, tombstone
from tests.support import T0_NS, a_trade, codec

OFFSETS = st.lists(st.integers(0, 200), min_size=1, unique=True).map(sorted)


def a_block(offsets: list[int], **changes: Any) -> Block:
    leaves = [sha256(offset.to_bytes(8)).digest() for offset in offsets]
    return block("orders", 1, offsets, leaves, **{"after": None, "at_ns": T0_NS} | changes)


@given(OFFSETS)
def test_a_block_knows_the_offset_of_each_leaf(offsets: list[int]) -> None:
    made = a_block(offsets)

    assert list(made.offsets()) == offsets
    assert made.leaf(len(offsets) - 1) == sha256(offsets[-1].to_bytes(8)).digest()
    assert bool(made.runs) == (offsets != list(range(offsets[0], offsets[-1] + 1)))


def test_an_entry_is_bound_to_the_one_before() -> None:
    first = a_block([3, 4])
    second = a_block([5], after=first.entry.head)

    assert first.entry.previous == FIRST_PREVIOUS
    assert (second.entry.number, second.entry.previous) == (1, first.entry.hash)


@pytest.mark.parametrize(
    "change",
    [
        {"topic": "order"},
        {"partition": 0},
        {"number": 1},
        {"first": 2},
        {"last": 5},
        {"count": 3},
        {"at_ns": T0_NS + 1},
        {"root": bytes(32)},
        {"previous": b"\1" * 32},
    ],
)
def test_whatever_is_changed_changes_its_hash(change: dict[str, Any]) -> None:
    entry = a_block([3, 4]).entry

    assert msgspec.structs.replace(entry, **change).hash != entry.hash


def test_a_leaf_says_what_and_where() -> None:
    leaves, value = Leaves(codec().fingerprint), codec().encode(a_trade())
    other = codec().encode(a_trade("1"))
    places = [("t", 0, 0), ("t", 0, 1), ("t", 1, 0), ("u", 0, 0)]

    hashes = [leaves.record(*place, one) for place in places for one in (value, other)]
    hashes += [leaves.letter(*place, value) for place in places]
    hashes += [tombstone(*place) for place in places]

    assert len(set(hashes)) == len(hashes)
    fingerprint = codec().fingerprint(value)
    assert leaves.record("t", 0, 0, value) == leaf(RECORD, "t", 0, 0, fingerprint, value[5:])
