"""A path proves that a leaf is in a tree, and nothing else does."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hadron.audit.merkle import Step, path, root, root_by_path
from hadron.errors import ContractError


def leaves(count: int) -> bytes:
    return b"".join(sha256(bytes([0]) + number.to_bytes(4)).digest() for number in range(count))


def leaf(of: bytes, index: int) -> bytes:
    return of[32 * index : 32 * index + 32]


@given(st.integers(1, 700), st.data())
def test_every_leaf_has_a_path_to_the_root(count: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, count - 1))
    tree = leaves(count)

    assert root_by_path(leaf(tree, index), index, count, path(tree, index)) == root(tree)


@given(st.integers(2, 700), st.data())
def test_another_leaf_or_place_leads_elsewhere(count: int, data: st.DataObject) -> None:
    index, other = data.draw(
        st.lists(st.integers(0, count - 1), min_size=2, max_size=2, unique=True)
    )
    tree = leaves(count)
    steps = path(tree, index)

    assert root_by_path(leaf(tree, other), index, count, steps) != root(tree)
    try:
        elsewhere = root_by_path(leaf(tree, index), other, count, steps)
    except ContractError:
        return
    assert elsewhere != root(tree)


def test_a_node_is_no_leaf() -> None:
    tree = leaves(40)
    first, last = path(tree, 0)
    node = root_by_path(leaf(tree, 0), 0, 16, [first])
    assert root_by_path(node, 0, 3, [last]) == root(tree)

    with pytest.raises(ContractError):
        root_by_path(node, 0, 40, [last])


def test_an_index_beyond_the_tree_is_refused() -> None:
    tree = leaves(3)

    with pytest.raises(ContractError, match="wanted 0 to 2"):
        root_by_path(leaf(tree, 0), 3, 3, path(tree, 0))


def test_a_path_beyond_the_root_is_refused() -> None:
    tree = leaves(3)

    with pytest.raises(ContractError, match="does not fit"):
        root_by_path(leaf(tree, 0), 0, 3, [*path(tree, 0), Step(b"", b"")])


def test_a_tree_is_sha256_over_byte_1_and_its_children() -> None:
    tree = leaves(17)
    first, second = (sha256(b"\1" + part).digest() for part in (tree[:512], tree[512:]))

    assert root(tree) == sha256(b"\1" + first + second).digest()
    assert root(tree[:32]) == tree[:32]
