"""Massive's session, step by step, with time passed in."""

from __future__ import annotations

import pytest

from hadron.venues.massive import frames
from hadron.venues.massive.protocol import MassiveProtocol
from hadron.venues.protocol import (
    Action,
    Close,
    Moved,
    Noted,
    Phase,
    Refused,
    Send,
    Stop,
    Wait,
)
from tests.unit.venues.samples import sample
from tests.unit.venues.sessions import KEY, TOPICS, S, a_session


def test_a_session_greets_authenticates_subscribes_and_lives() -> None:
    session = MassiveProtocol(KEY, TOPICS)

    said = [
        session.opened(0),
        session.received(sample("massive/greeting"), 1),
        session.received(sample("massive/auth_success"), 2),
        session.received(sample("massive/acks"), 3),
    ]

    assert said == [
        [Moved(Phase.OPEN)],
        [Send(frames.auth(KEY)), Moved(Phase.AUTHENTICATING)],
        [Send(frames.subscribe(TOPICS)), Moved(Phase.SUBSCRIBING)],
        [Moved(Phase.LIVE)],
    ]


@pytest.mark.parametrize(
    ("phase", "frame", "wanted"),
    [
        (Phase.AUTHENTICATING, "auth_failed", Stop),
        (Phase.AUTHENTICATING, "auth_failed_plan", Stop),
        (Phase.AUTHENTICATING, "auth_timeout", Close),
        (Phase.LIVE, "max_connections", Wait),
        (Phase.LIVE, "not_authorized", Noted),
    ],
)
def test_statuses_and_what_they_ask_for(phase: Phase, frame: str, wanted: type[Action]) -> None:
    first, *_ = a_session(phase).received(sample(f"massive/{frame}"), 1)

    assert type(first) is wanted


def test_authentication_alone_proves_nothing() -> None:
    actions = a_session(Phase.AUTHENTICATING).received(sample("massive/auth_success"), 1)

    assert Moved(Phase.LIVE) not in actions


def test_a_topic_refused_by_name_is_not_asked_for_again() -> None:
    session = a_session(Phase.SUBSCRIBING)

    actions = session.received(
        b'[{"ev":"status","status":"error","message":"not authorized: T.MSFT"}]', 1
    )
    session.closed(1006, "", 2)
    session.opened(3)
    session.received(sample("massive/greeting"), 4)
    again = session.received(sample("massive/auth_success"), 5)

    assert actions == [Refused("T.MSFT", "not authorized: T.MSFT")]
    assert again[0] == Send(frames.subscribe(["Q.MSFT"]))


def test_a_nameless_refusal_is_of_the_only_topic_that_waits() -> None:
    session = a_session(Phase.SUBSCRIBING, ["T.MSFT"])

    assert session.received(sample("massive/not_authorized"), 1) == [
        Refused("T.MSFT", "not authorized")
    ]


def test_topics_without_acknowledgement_are_refused_once_and_asked_for_again_later() -> None:
    session = a_session(Phase.LIVE, ["T.MSFT", "Q.MSFT", "ZZ.MSFT"])

    early, late, later = (session.passed(s * S) for s in (9, 10, 11))
    session.closed(1006, "", 12 * S)
    session.opened(13 * S)
    session.received(sample("massive/greeting"), 13 * S)
    again = session.received(sample("massive/auth_success"), 13 * S)

    assert (early, late, later) == ([], [Refused("ZZ.MSFT", "not acknowledged")], [])
    assert again[0] == Send(frames.subscribe(["T.MSFT", "Q.MSFT", "ZZ.MSFT"]))


@pytest.mark.parametrize("phase", [Phase.OPEN, Phase.AUTHENTICATING])
def test_a_venue_that_does_not_go_on_is_left(phase: Phase) -> None:
    session = a_session(phase)

    assert session.passed(10 * S - 1) == []
    assert session.passed(10 * S) == [Close(f"no progress while {phase.value}")]


def test_silence_is_stale_only_when_pings_stay_unanswered_too() -> None:
    session = a_session()

    session.heard(25 * S)
    quiet = session.passed(54 * S)
    silent = session.passed(55 * S)

    assert quiet == []
    assert silent == [Close("silent for 30.0 s", stale=True)]


def test_silence_while_we_did_not_read_is_ours() -> None:
    session = a_session()

    session.paused(40 * S)

    assert session.passed(41 * S) == []


def test_an_eviction_waits_a_minute_once() -> None:
    session = a_session()

    evicted = session.received(sample("massive/max_connections"), 1)
    closed = session.closed(1008, "", 2)

    assert isinstance(evicted[0], Wait)
    assert evicted[0].seconds >= 60
    assert isinstance(evicted[1], Close)
    assert closed == [Moved(Phase.CLOSED)]


def test_a_close_with_1008_alone_waits_a_minute_too() -> None:
    wait, moved = a_session().closed(1008, "", 2)

    assert isinstance(wait, Wait)
    assert wait.seconds >= 60
    assert moved == Moved(Phase.CLOSED)


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_opening_is_fatal(status: int) -> None:
    assert isinstance(a_session().closed(status, "", 1)[0], Stop)


def test_the_key_is_hidden_even_if_the_venue_says_it() -> None:
    session = a_session(Phase.AUTHENTICATING)

    actions = session.received(
        b'[{"ev":"status","status":"auth_failed","message":"bad key k-123"}]', 1
    )

    assert actions == [Stop("authentication failed: bad key ***")]
    assert "k-123" not in repr(vars(session))


def test_an_unknown_status_is_noted() -> None:
    [noted] = a_session().received(b'[{"ev":"status","status":"new","message":"hm"}]', 1)

    assert isinstance(noted, Noted)
