"""When waiting for a process makes no more sense."""

from __future__ import annotations

from hadron.cli.replay.passage import Passage, Patience, settled


class Clock:
    """Time as the test has it."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_patience_ends_when_nothing_is_taken_though_something_is_left() -> None:
    clock = Clock()
    patience = Patience(60.0, clock)
    assert not patience.ended(Passage(taken=5, left=3))

    clock.now_s = 61.0

    assert patience.ended(Passage(taken=5, left=3))


def test_patience_begins_anew_with_every_record_taken() -> None:
    clock = Clock()
    patience = Patience(60.0, clock)
    for taken in range(10):
        clock.now_s += 59.0

        assert not patience.ended(Passage(taken, left=1))


def test_a_long_time_without_any_record_is_nobodys_fault() -> None:
    clock = Clock()
    patience = Patience(60.0, clock)
    patience.ended(Passage(taken=5, left=0))
    clock.now_s = 3600.0
    patience.ended(Passage(taken=5, left=0))

    assert not patience.ended(Passage(taken=5, left=1))


def test_what_is_left_when_patience_ends_is_told() -> None:
    looks = iter([Passage(0, 3), Passage(2, 1), Passage(3, 0)])

    assert settled(lambda: next(looks), patience_s=60.0, every_s=0.0) == 0
    assert settled(lambda: Passage(2, 1), patience_s=0.0, every_s=0.0) == 1
