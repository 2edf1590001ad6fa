"""A process that stood still for longer than its session owns nothing any more."""

import pytest

from hadron.errors import HadronError
from hadron.sessions import Session


def test_silence_as_long_as_the_session_is_allowed_again_and_again() -> None:
    session = Session("desk", 10, now_s=100)

    for now_s in (110, 120, 130):
        session.check(now_s)

    assert session.alive_s == 130


def test_a_longer_silence_is_told_with_both_times() -> None:
    session = Session("desk", 10, now_s=100)

    with pytest.raises(HadronError, match=r"desk stood still for 10\.5 s, longer .* of 10 s"):
        session.check(110.5)


def test_who_was_alive_meanwhile_may_say_so() -> None:
    session = Session("gateway", 10, now_s=100)

    session.alive_s = 120
    session.check(125)

    assert session.alive_s == 125
