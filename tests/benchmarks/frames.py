"""Frames as Massive sends them: recorded ones if there are any, else those of a seeded market."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from connectors.tapes import tape
from hadron.simulation.market import market
from hadron.simulation.played import Played
from tests.support import T0_NS, a_strategy, some_rules
from tests.unit.desk.facts import some_limits

SYMBOLS = ("SPY", "AAPL", "MSFT", "IBM", "AIG", "BAC", "GE", "F")
SEED = 7
# SimpleSMA on all instruments, and limits that let it trade: what is refused does less.
CONTROLS: Sequence[Any] = (
    some_rules(volatile_bps=50, volatile_window_ms=60_000),
    some_limits(position=10**6, notional=10**9, exposure=10**12),
    a_strategy(),
)


class Frame(msgspec.Struct, frozen=True):
    """One event, alone in its frame, and when it happened."""

    at_ns: int
    payload: bytes


def played(count: int) -> list[Played]:
    """The first events of a seeded market: the same ones each time."""
    return list(islice(market(SYMBOLS, random.Random(SEED).random, start_ms=T0_NS // 10**6), count))


def generated(count: int) -> list[Frame]:
    """The frames of those events."""
    return [_frame(one) for one in played(count)]


def recorded(count: int) -> tuple[list[Frame], str]:
    """The first frames of the tapes in HADRON_TAPES, else generated ones; and which they are."""
    folder = os.environ.get("HADRON_TAPES")
    if not folder:
        return generated(count), f"generated, seed {SEED}"
    frames = [_frame(one) for one in islice(tape(Path(folder)), count)]
    return frames, "recorded"


def _frame(event: Played) -> Frame:
    return Frame(event.at_ms * 1_000_000, b"[" + event.element + b"]")
