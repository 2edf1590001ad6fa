"""Where two runs part: found by halves, as whoever was equal at a place was equal before it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from hadron.audit.facts import StateHashed


class Place(msgspec.Struct, frozen=True):
    """The first of some places that differs, None if none does, and how many were looked at."""

    first: int | None
    compared: int


class Change(msgspec.Struct, frozen=True):
    """One thing that two runs do not share: texts of code as their lines that differ."""

    what: str
    left: str | None
    right: str | None


def first_difference(count: int, same: Callable[[int], bool]) -> Place:
    """Look among places 0 to `count` - 1, of which all before one that is the same are, too.

    At most 1 + log2(count), rounded up, are looked at.
    """
    if not count:
        return Place(None, 0)
    if same(count - 1):
        return Place(None, 1)
    low, high, compared = 0, count - 1, 1
    while low < high:
        middle = (low + high) // 2
        compared += 1
        if same(middle):
            low = middle + 1
        else:
            high = middle
    return Place(low, compared)


def chained(left: StateHashed, right: StateHashed) -> bool:
    """Whether two hashes say of the same entries that they led to the same."""
    return (left.every, left.since) == (right.every, right.since)


def same(left: StateHashed, right: StateHashed) -> bool:
    """Whether two runs were the same up to here; without a common chain, whether they are now."""
    return left.chain == right.chain if chained(left, right) else left.state == right.state


def value_changes(left: Any, right: Any, path: str = "") -> list[Change]:
    """Leaves of two nested values, as JSON has them, that differ."""
    if left == right:
        return []
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return [
            change
            for name in sorted(left.keys() | right.keys())
            for change in value_changes(left.get(name), right.get(name), f"{path}.{name}")
        ]
    if isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        return [
            change
            for number, pair in enumerate(zip(left, right, strict=True))
            for change in value_changes(*pair, f"{path}[{number}]")
        ]
    return [Change(path.removeprefix("."), _text(left), _text(right))]


def _text(value: Any) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode()
