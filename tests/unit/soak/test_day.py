"""A day of a market inside one process leaves its memory as it was; what leaks is found."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from hadron.fold import Fold, Slice
from tests.benchmarks.frames import generated
from tests.benchmarks.inside import Inside
from tests.soak.day import EAGER, Grown, lived, stamped

HOURS, TICKS = 12, 3_600
FEW = 20  # blocks; a counter that comes to 257 is one more


class Leaking:
    """A fold that remembers a word of every twentieth slice, and shows it to nobody."""

    superseded = 0

    def __init__(self, fold: Fold) -> None:
        self._fold = fold
        self._slices = 0
        self._kept: list[bytes] = []

    def step(self, slice: Slice, /) -> Sequence[Any]:
        self._slices += 1
        if self._slices % 20 == 0:
            self._kept.append(bytes(100))
        return self._fold.step(slice)

    def snapshot(self) -> Iterable[tuple[str, bytes]]:
        return self._fold.snapshot()

    def restore(self, parts: Iterable[tuple[str, bytes]]) -> None:
        self._fold.restore(parts)


def later(grown: Grown) -> int:
    """Blocks more in the second half of the hours."""
    return grown.blocks[-1] - grown.blocks[HOURS // 2]


def test_a_days_ticks_and_orders_leave_no_block_of_memory_behind() -> None:
    grown = lived(Inside(EAGER), ticks=TICKS, hours=HOURS)

    assert grown.orders > TICKS / 4
    assert later(grown) < FEW, grown.blocks


def test_what_a_fold_keeps_of_every_twentieth_slice_is_seen() -> None:
    inside = Inside(EAGER)
    engine = inside.shards["engine"]
    engine.fold = Leaking(engine.fold)

    assert later(lived(inside, ticks=TICKS, hours=HOURS)) > FEW


def test_the_line_that_keeps_it_is_named() -> None:
    inside = Inside(EAGER)
    engine = inside.shards["engine"]
    engine.fold = Leaking(engine.fold)

    lines = lived(inside, ticks=TICKS // 4, hours=HOURS, trace=True).lines

    assert any(Path(__file__).name in line for line in lines), lines


def test_each_hour_has_its_own_times_and_sequence_numbers() -> None:
    some = generated(3)

    first, second = (list(stamped(some, hour)) for hour in (0, 1))

    assert [late.at_ns - early.at_ns for early, late in zip(first, second, strict=True)] == [
        3_600 * 10**9
    ] * 3
    assert all(b'"q":1' in frame.payload for frame in first)
    assert first[0].payload != second[0].payload
