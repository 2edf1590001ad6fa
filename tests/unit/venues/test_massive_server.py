"""The simulator's side of Massive's session answers as the venue does."""

from __future__ import annotations

from pydantic import SecretStr

from hadron.venues.massive import frames
from hadron.venues.massive.server import EVICTION, GREETING, MassiveServer, Reply
from tests.unit.venues.samples import sample


def a_server() -> MassiveServer:
    """A server that knows its client."""
    server = MassiveServer(SecretStr("right"), ["NOI"])
    server.received(frames.auth(SecretStr("right")))
    return server


def test_what_it_says_is_what_the_venue_says() -> None:
    server = MassiveServer(SecretStr("right"))

    assert sample("massive/greeting") == GREETING
    assert sample("massive/max_connections") == EVICTION
    assert server.received(frames.auth(SecretStr("right"))).frames == [
        sample("massive/auth_success")
    ]
    assert server.received(frames.subscribe(["T.MSFT", "Q.MSFT"])).frames == [
        sample("massive/acks")
    ]


def test_a_wrong_key_is_refused_and_the_connection_cut() -> None:
    server = MassiveServer(SecretStr("right"))

    reply = server.received(frames.auth(SecretStr("wrong")))

    assert reply == Reply([sample("massive/auth_failed")], cut=True)
    assert not server.authenticated


def test_nothing_is_subscribed_without_authentication() -> None:
    server = MassiveServer(None)

    reply = server.received(frames.subscribe(["T.MSFT"]))

    assert reply.frames == [sample("massive/not_authorized")]
    assert not server.wants("T.MSFT")


def test_an_unknown_code_and_a_repeated_topic_get_no_answer() -> None:
    server = a_server()
    server.received(frames.subscribe(["T.MSFT"]))

    assert server.received(frames.subscribe(["T.MSFT", "ZZ.MSFT"])) == Reply()


def test_a_topic_that_is_not_in_the_plan_is_refused_without_its_name() -> None:
    assert a_server().received(frames.subscribe(["NOI.MSFT"])).frames == [
        sample("massive/not_authorized")
    ]


def test_a_wildcard_wants_all_of_its_code() -> None:
    server = a_server()
    server.received(frames.subscribe(["T.*"]))

    assert server.wants("T.MSFT")
    assert not server.wants("Q.MSFT")


def test_an_unsubscribed_topic_is_no_longer_wanted() -> None:
    server = a_server()
    server.received(frames.subscribe(["T.MSFT"]))

    server.received(frames.unsubscribe(["T.MSFT"]))

    assert not server.wants("T.MSFT")


def test_what_cannot_be_read_gets_no_answer() -> None:
    assert a_server().received(b"{") == Reply()
    assert a_server().received(b'{"action":"dance","params":""}') == Reply()
