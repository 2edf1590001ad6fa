"""What a backtest is fed: control facts, raw events or ticks, in the order of their times."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec

from hadron.fold import Received
from hadron.market.facts import Tick


class Placed(NamedTuple):
    """A fact and where it lies."""

    topic: str
    partition: int
    received: Received


class Controls(msgspec.Struct, frozen=True):
    """Rules, strategies, limits, halts: in force from here on."""

    facts: Sequence[Any]


class Raws(msgspec.Struct, frozen=True):
    """Raw events, of any partitions; those of a partition in the order of their offsets."""

    records: Sequence[Placed]


class Ticks(msgspec.Struct, frozen=True):
    """Ticks that were normalized before. `ticks` is gone through once, and may make them then.

    `offsets` are their places on `ticks.<lane>`, in the partition of their raw records.
    """

    ticks: Iterable[Tick]
    offsets: Sequence[int]
    span: tuple[int, int] | None  # `at_ns` of the first and the last; None for no ticks


Batch = Controls | Raws | Ticks


def ticks_at(ticks: Sequence[Tick], offsets: Sequence[int]) -> Ticks:
    """A batch of ticks that are there already."""
    return Ticks(ticks, offsets, (ticks[0].at_ns, ticks[-1].at_ns) if ticks else None)
