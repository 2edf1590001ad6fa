"""A day of a market inside one process, as fast as it goes: does what it takes of memory grow?

Feed, normalize, engine, desk, gateway and portfolio are the real code; the log keeps nothing, so
whatever grows is ours. Each hour brings the same prices again, and what is remembered on purpose
(texts, numbers, records, slices) is full before anything is compared.
"""

from __future__ import annotations

import gc
import re
import statistics
import sys
import tracemalloc
from array import array
from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import cache
from typing import Any

import msgspec
import psutil

from hadron.audit.poison import WINDOW
from hadron.avro.cells import MOST_KEPT
from hadron.desk.facts import DecisionDismissed
from tests.benchmarks.frames import CONTROLS, Frame, generated
from tests.benchmarks.inside import Inside
from tests.support import a_decision, a_strategy, codec

HOUR_NS = 3_600 * 10**9
CHECKPOINT = 500  # ticks
# Beside SimpleSMA one that turns with every other trade, for orders leave the most behind.
EAGER: Sequence[Any] = (*CONTROLS, a_strategy("SMACross", parameters={"fast": "1", "slow": "2"}))
# Slices whose poison a gateway remembers on purpose.
REMEMBERED = (DecisionDismissed("decisions", 0, 0, 0, "none", "none", "none", 0, 0, ""),) * WINDOW
MOST_LINES = 10
# One that is kept for every thousand ticks would be ten thousand in a busy hour.
MOST_BLOCKS = 1.0  # a thousand ticks
_STAMPED = re.compile(rb'"t":\d+,"q":(\d+)')
_SEQUENCES = 10**9  # more than an hour has


class Grown(msgspec.Struct, frozen=True):
    """How a process grew in the second half of its hours, at the ends of which it was measured.

    `blocks` are what Python has handed out, when all garbage is collected. `lines` are those that
    hold more than before.
    """

    ticks: int
    orders: int
    blocks: list[int]
    rss_mib: list[float]
    blocks_a_thousand_ticks: float
    rss_bytes_a_thousand_ticks: float
    lines: list[str]


def lived(inside: Inside, *, ticks: int, hours: int = 24, trace: bool = False) -> Grown:
    """Live through so many ticks in so many hours, of which the first half is not compared.

    `trace` finds the lines that hold what grew, slowly.
    """
    if trace:
        tracemalloc.start()
    _remember()
    inside.told(REMEMBERED)
    an_hour = _an_hour(ticks // hours)
    # Made before, and of plain numbers, so that looking does not grow what is looked at.
    blocks, rss = array("q", [0] * hours), array("q", [0] * hours)
    orders = 0
    before = None
    for hour in range(hours):
        if trace and hour == hours // 2:
            before = _snapshot()
        orders += _live(inside, stamped(an_hour, hour))
        gc.collect()
        blocks[hour], rss[hour] = sys.getallocatedblocks(), psutil.Process().memory_info().rss
    lines = [] if before is None else _lines(before)
    thousands = len(an_hour) / 1_000
    return Grown(
        ticks=len(an_hour) * hours,
        orders=orders,
        blocks=list(blocks),
        rss_mib=[round(size / 2**20, 1) for size in rss],
        blocks_a_thousand_ticks=round(_slope(blocks[hours // 2 :]) / thousands, 3),
        rss_bytes_a_thousand_ticks=round(_slope(rss[hours // 2 :]) / thousands, 1),
        lines=lines,
    )


@cache
def _remember() -> None:
    """Write as many texts and numbers as the codec keeps: those of later ones take their places."""
    for n in range(MOST_KEPT):
        codec().encode(a_decision(instrument=f"eq:S{n}", quantity=Decimal(n)))


def _an_hour(ticks: int) -> list[Frame]:
    """Trades, and a quarter of the quotes between them: so about as many of each."""
    some = enumerate(generated(3 * ticks))
    found = [frame for n, frame in some if b'"ev":"T"' in frame.payload or n % 4 == 0]
    return found[:ticks]


def stamped(frames: Sequence[Frame], hour: int) -> Iterator[Frame]:
    """The same events, spread over an hour of the day, with the sequence numbers of that hour."""
    first_ns = frames[0].at_ns + hour * HOUR_NS
    for place, frame in enumerate(frames):
        at_ns = first_ns + place * HOUR_NS // len(frames)
        sequence = int(_STAMPED.search(frame.payload)[1]) + hour * _SEQUENCES  # type: ignore[index]
        stamp = b'"t":%d,"q":%d' % (at_ns // 10**6, sequence)
        yield Frame(at_ns, _STAMPED.sub(stamp, frame.payload))


def _live(inside: Inside, frames: Iterator[Frame]) -> int:
    orders = 0
    for number, frame in enumerate(frames):
        raw = inside.received(frame.payload, number=number, seen_ns=frame.at_ns)
        orders += inside.settle(raw)["orders"]
        if number % CHECKPOINT == 0:
            for shard in inside.shards.values():
                shard.checkpoint({})
    return orders


def _slope(values: Sequence[float]) -> float:
    return statistics.linear_regression(range(len(values)), values).slope


def _snapshot() -> tracemalloc.Snapshot:
    gc.collect()
    ours = (tracemalloc.Filter(False, tracemalloc.__file__), tracemalloc.Filter(False, __file__))
    return tracemalloc.take_snapshot().filter_traces(ours)


def _lines(before: tracemalloc.Snapshot) -> list[str]:
    after = _snapshot()
    tracemalloc.stop()
    grown = sorted(after.compare_to(before, "lineno"), key=lambda one: -one.count_diff)
    return [
        f"{one.traceback[0].filename}:{one.traceback[0].lineno}: {one.count_diff:+,} blocks"
        for one in grown[:MOST_LINES]
        if one.count_diff > 0
    ]
