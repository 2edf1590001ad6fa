"""Copies of raw events, made at a pace."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from connectors.memory import MemoryLog
from hadron.cli.replay.bounds import Edge, Offsets
from hadron.cli.replay.sources import Paced
from hadron.cli.replay.span import Asked, resolve
from tests.support import a_decision
from tests.unit.cli.replay.logs import MASSIVE_0, MASSIVE_1, PARTITIONS, a_log, stamped_on

COPY_0, COPY_1 = ("replay.r.raw.massive", 0), ("replay.r.raw.massive", 1)


class Watch:
    """A clock that goes only when somebody sleeps."""

    def __init__(self) -> None:
        self.now_s = 100.0

    @property
    def clock(self) -> tuple[Callable[[], float], Callable[[float], None]]:
        return lambda: self.now_s, self.sleep

    def sleep(self, for_s: float) -> None:
        self.now_s += for_s


def begun(log: MemoryLog, *, speed: float, asked: Asked | None = None) -> Paced:
    span = resolve(
        asked or Asked(Edge(), Edge(), 0),
        log=log,
        stamped=stamped_on(log),
        partitions=PARTITIONS,
    )
    paced = Paced("r", span, log=log, speed=speed, clock=Watch().clock)
    paced.begin()
    return paced


@pytest.mark.parametrize(("speed", "after_s"), [(1.0, 3.0), (10.0, 0.3), (100.0, 0.03)])
def test_a_record_is_copied_when_as_much_time_has_passed_as_before_its_receipt(
    speed: float, after_s: float
) -> None:
    log = a_log([0, 1, 2, 3, 4])
    paced = begun(log, speed=speed)

    paced.advance(after_s * 1.01)

    assert log.ends([COPY_0])[COPY_0] == 4
    assert paced.offering
    paced.advance(after_s)
    assert log.ends([COPY_0])[COPY_0] == 5
    assert not paced.offering


def test_a_copy_is_like_its_record() -> None:
    log = a_log([0, 1], [0.5])
    paced = begun(log, speed=1000.0)

    paced.advance(1.0)

    for place, copy in ((MASSIVE_0, COPY_0), (MASSIVE_1, COPY_1)):
        end = log.ends([place])[place]
        ours = [(r.timestamp_ms, r.key, r.value) for r in log.read(*place, start=0, end=end)]
        theirs = [(r.timestamp_ms, r.key, r.value) for r in log.read(*copy, start=0, end=end + 1)]
        assert theirs == ours
    assert paced.goal()[COPY_0] == 2
    assert paced.goal().keys() == paced.first().keys()


def test_the_warm_up_is_copied_at_once_and_the_end_is_kept() -> None:
    log = a_log(range(10))
    asked = Asked(Offsets({MASSIVE_0: 6}), Offsets({MASSIVE_0: 8}), 4000)
    paced = begun(log, speed=1.0, asked=asked)

    paced.advance(0.5)
    assert paced.goal()[COPY_0] == 5  # 2 to 5, and 6, which is due at once
    paced.advance(5.0)

    assert paced.goal()[COPY_0] == 6
    assert not paced.offering


def test_a_decision_from_a_copy_names_the_live_event() -> None:
    log = a_log(range(10))
    log.delete_before(*MASSIVE_0, 4)
    paced = begun(log, speed=1000.0)
    paced.advance(1.0)

    original = paced.original(a_decision(raw_offset=2))

    assert original == a_decision(raw_offset=6)
