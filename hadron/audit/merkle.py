"""Merkle trees over the leaves of a batch, and proofs that a leaf is in one.

Nodes are SHA-256 of byte 1 and their children (RFC 6962, section 2.1), up to 16 of them, the last
of a level maybe fewer. Sixteen, because a hash called from Python costs hardly more for 512 bytes
than for 64: a tree costs a tenth of a binary one, and its proofs are four times as long. A tree is
told with the number of its leaves, which fixes its shape.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

import msgspec

from hadron.audit.leaves import SIZE
from hadron.errors import ContractError

WIDTH = 16
_NODE = b"\1"


class Step(msgspec.Struct, frozen=True):
    """The siblings of one node, left and right of it, one after the other."""

    before: bytes
    after: bytes


def root(leaves: bytes) -> bytes:
    """The root over leaves that are written one after the other. One leaf is its own root."""
    level = leaves
    while len(level) > SIZE:
        level = _above(level)
    return level


def path(leaves: bytes, index: int) -> list[Step]:
    """The siblings from the leaf at `index` up to the root."""
    steps: list[Step] = []
    level = leaves
    while len(level) > SIZE:
        first = index // WIDTH * WIDTH * SIZE
        group, own = level[first : first + WIDTH * SIZE], index % WIDTH * SIZE
        steps.append(Step(group[:own], group[own + SIZE :]))
        level, index = _above(level), index // WIDTH
    return steps


def root_by_path(leaf: bytes, index: int, count: int, steps: Sequence[Step]) -> bytes:
    """The root to which a path leads. Raise ContractError if no tree of `count` leaves has it."""
    if not 0 <= index < count:
        raise ContractError(f"leaf {index} of a tree of {count}; wanted 0 to {count - 1}")
    node = leaf
    for step in steps:
        own = index % WIDTH
        siblings = min(WIDTH, count - index // WIDTH * WIDTH) - own - 1
        if count == 1 or (len(step.before), len(step.after)) != (own * SIZE, siblings * SIZE):
            raise ContractError(f"a path that does not fit leaf {index} of a tree of {count}")
        node = sha256(b"".join((_NODE, step.before, node, step.after))).digest()
        index, count = index // WIDTH, -(-count // WIDTH)
    if count != 1:
        raise ContractError(f"a path that ends {count} nodes wide below the root")
    return node


def _above(level: bytes) -> bytes:
    wide = WIDTH * SIZE
    return b"".join(
        [sha256(_NODE + level[at : at + wide]).digest() for at in range(0, len(level), wide)]
    )
