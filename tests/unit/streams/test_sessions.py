"""Incremental fetch sessions: what a broker is told, and when it is told all again."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from aiokafka.protocol.fetch import (
    FetchRequest,
    FetchRequest_v4,
    FetchRequest_v11,
    FetchResponse_v11,
)

from streams.sessions import LAST_EPOCH, FetchSession, SessionRequest

ALL = {("ticks", 0): (5, 100), ("ticks", 1): (7, 100), ("marks", 0): (0, 100)}
NOT_FOUND = 70


def begun(session_id: int = 9) -> FetchSession:
    session = FetchSession()
    session.ask(ALL)
    session.answered(session_id, 0)
    return session


def test_the_first_request_names_all_and_begins_a_session() -> None:
    ask = FetchSession().ask(ALL)

    assert (ask.id, ask.epoch, dict(ask.changed), set(ask.forgotten)) == (0, 0, ALL, set())


def test_later_ones_name_what_moved_or_came_and_what_is_left_out() -> None:
    session = begun()
    wanted = {("ticks", 0): (6, 100), ("ticks", 1): (7, 100), ("raw", 0): (1, 100)}

    ask = session.ask(wanted)

    assert (ask.id, ask.epoch) == (9, 1)
    assert dict(ask.changed) == {("ticks", 0): (6, 100), ("raw", 0): (1, 100)}
    assert set(ask.forgotten) == {("marks", 0)}


def test_what_was_left_out_is_named_when_it_is_wanted_again() -> None:
    session = begun()
    session.ask({})
    session.answered(9, 0)

    ask = session.ask(ALL)

    assert (ask.epoch, dict(ask.changed)) == (2, ALL)


def test_a_request_without_an_answer_an_error_and_a_broker_without_sessions_begin_anew() -> None:
    unanswered, unknown, refused = begun(), begun(), begun(session_id=0)
    unanswered.ask(ALL)
    unknown.ask(ALL)
    unknown.answered(9, NOT_FOUND)

    for session in (unanswered, unknown, refused):
        ask = session.ask(ALL)
        assert (ask.id, ask.epoch, dict(ask.changed)) == (0, 0, ALL)


def test_epochs_go_round_without_the_one_that_begins_a_session() -> None:
    session = begun()
    session._epoch = LAST_EPOCH
    session.ask(ALL)
    session.answered(9, 0)

    assert session.ask(ALL).epoch == 1


def test_the_request_is_written_as_the_session_has_it_and_told_the_answer() -> None:
    session = FetchSession()
    asked = [("ticks", [(0, 5, 100), (1, 7, 100)])]

    first = SessionRequest(_request(asked), session).build(FetchRequest_v11)
    answer = FetchResponse_v11(0, 0, 33, [])
    assert first.RESPONSE_TYPE.decode(BytesIO(answer.encode())).session_id == 33
    moved = SessionRequest(_request([("ticks", [(0, 5, 100), (1, 8, 100)])]), session)
    second = FetchRequest_v11.decode(moved.build(FetchRequest_v11).encode())

    assert (first.session_id, first.session_epoch, len(first.topics[0][1])) == (0, 0, 2)
    assert (second.session_id, second.session_epoch) == (33, 1)
    assert [(topic, [one[0] for one in parts]) for topic, parts in second.topics] == [
        ("ticks", [1])
    ]
    # What comes back may be of any partition of the session.
    assert len(moved.topics[0][1]) == 2


def test_an_old_broker_is_asked_without_a_session() -> None:
    request = SessionRequest(_request([("ticks", [(0, 5, 100)])]), FetchSession())

    struct = request.build(FetchRequest_v4)

    assert struct.encode() == _request([("ticks", [(0, 5, 100)])]).build(FetchRequest_v4).encode()


def _request(topics: Any) -> Any:
    return FetchRequest(50, 1, 1_000_000, 0, topics)
