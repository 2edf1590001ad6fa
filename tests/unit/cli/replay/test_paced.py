"""Copies of raw events, made at a pace."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from connectors.memory import MemoryLog
from hadron.cli.replay.bounds import Bound, Edge, Moment, Offsets
from hadron.cli.replay.controls import Command, Controls, Status
from hadron.cli.replay.pace import Pace, Speed
from hadron.cli.replay.paced import Paced
from hadron.cli.replay.seeking import find
from hadron.cli.replay.span import Asked, resolve
from hadron.errors import RequestRefused
from tests.support import a_decision
from tests.unit.cli.replay.logs import (
    BEGUN_MS,
    MASSIVE_0,
    MASSIVE_1,
    PARTITIONS,
    a_log,
    stamped_on,
)

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


def begun(
    log: MemoryLog,
    *,
    pace: Pace = Pace(Speed.MAX),  # noqa: B008  # frozen
    asked: Asked | None = None,
    controls: Controls | None = None,
) -> Paced:
    stamped = stamped_on(log)
    span = resolve(
        asked or Asked(Edge(), Edge(), 0), log=log, stamped=stamped, partitions=PARTITIONS
    )
    paced = Paced(
        "r",
        span,
        log=log,
        pace=pace,
        find=partial(find, log=log, stamped=stamped),
        controls=controls,
        clock=Watch().clock,
    )
    paced.begin()
    return paced


class Asking:
    """A replay that begins paused, and what is asked of it."""

    def __init__(self, log: MemoryLog, asked: Asked | None = None) -> None:
        self._controls = Controls()
        pace = Pace(Speed.X1, playing=False)
        self.paced = begun(log, pace=pace, asked=asked, controls=self._controls)
        self.paced.advance(0.1)

    def ask(self, command: Command) -> Status:
        answer = self._controls.ask(command)
        self.paced.advance(0.1)
        return answer.result(0)


@pytest.mark.parametrize(
    ("speed", "after_s"), [(Speed.X1, 3.0), (Speed.X10, 0.3), (Speed.X100, 0.03)]
)
def test_a_record_is_copied_when_as_much_time_has_passed_as_before_its_receipt(
    speed: Speed, after_s: float
) -> None:
    log = a_log([0, 1, 2, 3, 4])
    paced = begun(log, pace=Pace(speed))

    paced.advance(after_s * 1.01)

    assert log.ends([COPY_0])[COPY_0] == 4
    assert paced.offering
    paced.advance(after_s)
    assert log.ends([COPY_0])[COPY_0] == 5
    assert not paced.offering


def test_a_copy_is_like_its_record() -> None:
    log = a_log([0, 1], [0.5])
    paced = begun(log)

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
    paced = begun(log, pace=Pace(Speed.X1), asked=asked)

    paced.advance(0.5)
    assert paced.goal()[COPY_0] == 5  # 2 to 5, and 6, which is due at once
    paced.advance(5.0)

    assert paced.goal()[COPY_0] == 6
    assert not paced.offering


def test_a_decision_from_a_copy_names_the_live_event() -> None:
    log = a_log(range(10))
    log.delete_before(*MASSIVE_0, 4)
    paced = begun(log)
    paced.advance(1.0)

    original = paced.original(a_decision(raw_offset=2))

    assert original == a_decision(raw_offset=6)


def test_what_is_paused_copies_nothing_until_it_plays() -> None:
    log = a_log(range(10))
    replay = Asking(log)

    replay.paced.advance(100.0)
    assert log.ends([COPY_0])[COPY_0] == 0

    playing = replay.ask(lambda player: player.play())
    assert (playing.state, playing.speed, playing.total) == ("playing", "1x", 10)
    replay.paced.advance(2.0)
    assert log.ends([COPY_0])[COPY_0] == 3


def test_to_play_what_plays_changes_nothing() -> None:
    log = a_log(range(0, 600, 60))
    replay = Asking(log)

    replay.ask(lambda player: player.play())
    replay.ask(lambda player: player.play())

    assert log.ends([COPY_0])[COPY_0] == 1  # the next is due in a minute


def test_a_step_copies_the_next_by_its_time() -> None:
    log = a_log([0, 2], [1, 3])
    replay = Asking(log)

    one = replay.ask(lambda player: player.step(1))
    assert one.next == {"raw.massive/0": 1, "raw.massive/1": 0}
    two = replay.ask(lambda player: player.step(2))

    assert two.next == {"raw.massive/0": 2, "raw.massive/1": 1}
    assert (two.state, two.done, two.at) == ("paused", 3, "2023-11-14T22:13:23.000Z")
    assert replay.ask(lambda player: player.step(7)).done == 4
    assert not replay.paced.offering


@pytest.mark.parametrize(
    ("to", "there"),
    [
        (Moment(BEGUN_MS + 2050), (3, 2)),
        (Offsets({MASSIVE_0: 4}), (4, 4)),
        (Offsets({MASSIVE_0: 4, MASSIVE_1: 1}), (4, 1)),
        (Edge(), (0, 0)),
    ],
)
def test_a_seek_copies_what_lies_between_at_once(to: Bound, there: tuple[int, int]) -> None:
    log = a_log(range(6), [second + 0.1 for second in range(6)])
    replay = Asking(log)

    status = replay.ask(lambda player: player.seek(to))

    assert status.state == "paused"
    assert (status.next["raw.massive/0"], status.next["raw.massive/1"]) == there
    copied = log.ends([COPY_0, COPY_1])
    assert (copied[COPY_0], copied[COPY_1]) == there


def test_a_seek_back_is_refused_as_what_was_decided_stays() -> None:
    replay = Asking(a_log(range(6)))
    replay.ask(lambda player: player.step(4))

    with pytest.raises(RequestRefused) as refused:
        replay.ask(lambda player: player.seek(Moment(BEGUN_MS + 1000)))

    said = "to: raw.massive/0=1; wanted 4 or more, as only --compare goes back"
    assert str(refused.value) == said


def test_the_speed_can_be_changed_and_the_next_is_due_then() -> None:
    log = a_log(range(0, 600, 60))
    replay = Asking(log)
    replay.ask(lambda player: player.play())

    assert replay.ask(lambda player: player.change(Speed.X100)).speed == "100x"
    replay.paced.advance(1.15)

    # One at the play, one at the change, and 60 s later are 0.6 s.
    assert log.ends([COPY_0])[COPY_0] == 4
    replay.ask(lambda player: player.change(Speed.MAX))
    assert log.ends([COPY_0])[COPY_0] == 10
