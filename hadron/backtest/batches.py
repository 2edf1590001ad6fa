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


Batch = Controls | Raws | Ticks
