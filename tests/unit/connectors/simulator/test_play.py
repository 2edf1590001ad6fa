"""What is due when: time, faults and the position in the market."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pytest

from connectors.simulator.faults import Fault
from connectors.simulator.play import FRAME_EVENTS, Play, array
from hadron.errors import SettingsError
from hadron.simulation.played import Played


def events(times_ms: Iterable[int], topic: str = "T.A") -> Iterator[Played]:
    """Events of one topic at these times."""
    return (Played(at_ms, topic, b"%d" % at_ms) for at_ms in times_ms)


def everything(topic: str) -> bool:
    return True


def times(due: list[Played] | float | None) -> list[int]:
    """The times of events that are due."""
    assert isinstance(due, list)
    return [event.at_ms for event in due]


def test_events_are_due_at_the_pace_of_the_market() -> None:
    play = Play(events([1000, 1000, 1500, 2000]), speed=1, faults=())

    assert times(play.due(everything, 50.0)) == [1000, 1000]
    assert play.due(everything, 50.2) == pytest.approx(0.3)
    assert times(play.due(everything, 50.5)) == [1500]


def test_ten_times_the_speed_waits_a_tenth() -> None:
    play = Play(events([1000, 2000]), speed=10, faults=())
    play.due(everything, 0.0)

    assert play.due(everything, 0.0) == pytest.approx(0.1)


def test_without_a_pace_everything_is_due_in_full_frames() -> None:
    play = Play(events(range(FRAME_EVENTS + 1)), speed=0, faults=())

    assert len(times(play.due(everything, 0.0))) == FRAME_EVENTS
    assert len(times(play.due(everything, 0.0))) == 1
    assert play.due(everything, 0.0) is None


def test_what_is_behind_comes_many_to_a_frame() -> None:
    play = Play(events(range(0, 10_000, 1000)), speed=1, faults=())
    play.due(everything, 0.0)

    assert times(play.due(everything, 5.0)) == [1000, 2000, 3000, 4000, 5000]


def test_a_pause_stops_the_markets_time() -> None:
    play = Play(events([0, 1000]), speed=1, faults=())
    play.due(everything, 0.0)
    play.pause()

    assert times(play.due(everything, 100.0)) == [1000]


def test_what_was_due_while_nobody_listened_can_be_skipped() -> None:
    play = Play(events([0, 1000, 2000, 3000]), speed=1, faults=())
    play.due(everything, 0.0)

    play.skip(2.5)

    assert play.due(everything, 2.5) == pytest.approx(0.5)


def test_frames_end_where_a_fault_is_due_and_each_fault_comes_once() -> None:
    drop, silence = Fault("drop", 2), Fault("silence", 2, 1.0)
    play = Play(events(range(5)), speed=0, faults=[drop, silence])

    assert play.fault() is None
    assert times(play.due(everything, 0.0)) == [0, 1]
    assert [play.fault(), play.fault(), play.fault()] == [drop, silence, None]
    assert times(play.due(everything, 0.0)) == [2, 3, 4]


def test_what_nobody_wants_is_passed_over_and_not_counted() -> None:
    both = [Played(1, "T.A", b"1"), Played(2, "Q.A", b"2"), Played(3, "T.B", b"3")]
    play = Play(iter(both), speed=0, faults=())

    due = play.due(lambda topic: topic.startswith("T."), 0.0)

    assert times(due) == [1, 3]
    assert play.sent == {"A": 1, "B": 1}


def test_an_endless_market_that_nobody_wants_lets_others_have_their_turn() -> None:
    def endless() -> Iterator[Played]:
        while True:
            yield Played(1, "T.A", b"1")

    assert Play(endless(), speed=0, faults=()).due(lambda _: False, 0.0) == 0.0


def test_a_frame_is_an_array() -> None:
    assert array([Played(1, "T.A", b"{}"), Played(2, "T.A", b"[]")]) == b"[{},[]]"


@pytest.mark.parametrize("speed", [-1, float("nan")])
def test_a_speed_that_is_none_is_refused(speed: float) -> None:
    with pytest.raises(SettingsError, match="speed"):
        Play(iter(()), speed=speed, faults=())
