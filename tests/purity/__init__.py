"""Finds what could make two runs of the core differ: read from its source, by name and by shape."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence

from tests.purity.names import Unordered, gathered
from tests.purity.rules import Rules

__all__ = ["findings"]


def findings(sources: Mapping[str, str]) -> list[str]:
    """`file:line: what is wrong`, for each source by its name; what is known of one helps others.

    It knows sets by annotations and by how they are made, not by running the code: a set that
    comes out of a container without annotation is not seen. The test with other hash seeds is.
    """
    trees = {name: ast.parse(text) for name, text in sources.items()}
    known = gathered(list(trees.values()))
    return [found for name, tree in trees.items() for found in _of(name, tree, known)]


def _of(name: str, tree: ast.Module, known: Unordered) -> Sequence[str]:
    rules = Rules(known)
    rules.visit(tree)
    return [f"{name}:{line}: {what}" for line, what in sorted(rules.found)]
