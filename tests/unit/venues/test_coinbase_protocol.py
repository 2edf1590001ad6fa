"""Coinbase's session: one channel per message, a sequence over all, heartbeats."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hadron.venues.coinbase import frames
from hadron.venues.coinbase.protocol import CoinbaseProtocol, Deadlines
from hadron.venues.protocol import (
    UNREADABLE,
    Action,
    Close,
    Element,
    Moved,
    Noted,
    Phase,
    Publish,
    Refused,
    Send,
    Stop,
)
from tests.unit.venues.samples import sample

S = 1_000_000_000


def a_session() -> CoinbaseProtocol:
    """A live session at time 0 that has seen sequence number 0."""
    session = CoinbaseProtocol(["BTC-USD"], Deadlines(ack_s=10, stale_s=10))
    session.opened(0)
    session.received(sample("coinbase/subscriptions"), 0)
    return session


def numbered(name: str, number: int) -> bytes:
    """A sample with another sequence number."""
    return json.dumps(json.loads(sample(f"coinbase/{name}")) | {"sequence_num": number}).encode()


def published(actions: object) -> list[Element]:
    """The elements among actions."""
    assert isinstance(actions, list)
    return [e for action in actions if isinstance(action, Publish) for e in action.elements]


def test_it_subscribes_at_once_one_channel_per_message() -> None:
    actions = CoinbaseProtocol(["BTC-USD", "ETH-USD"]).opened(0)

    assert [action.frame for action in actions if isinstance(action, Send)] == [
        b'{"type":"subscribe","product_ids":["BTC-USD","ETH-USD"],"channel":"heartbeats"}',
        b'{"type":"subscribe","product_ids":["BTC-USD","ETH-USD"],"channel":"market_trades"}',
        b'{"type":"subscribe","product_ids":["BTC-USD","ETH-USD"],"channel":"ticker"}',
    ]


def test_an_acknowledgement_makes_it_live() -> None:
    session = CoinbaseProtocol(["BTC-USD"])
    session.opened(0)

    assert session.received(sample("coinbase/subscriptions"), 1) == [Moved(Phase.LIVE)]


@pytest.mark.parametrize("name", ["trades_update", "ticker"])
def test_trades_and_tickers_are_published_byte_for_byte(name: str) -> None:
    frame = sample(f"coinbase/{name}").replace(b'"sequence_num":5', b'"sequence_num":1')
    frame = frame.replace(b'"sequence_num":2', b'"sequence_num":1')

    [element] = published(a_session().received(frame, 1))

    assert (element.symbol, element.index) == ("BTC-USD", 0)
    assert element.payload in frame


def test_heartbeats_publish_nothing_whatever_their_time_looks_like() -> None:
    assert a_session().received(sample("coinbase/heartbeat_go_time"), 1) == []


def test_a_snapshot_is_published_oldest_first_with_its_places() -> None:
    elements = published(a_session().received(sample("coinbase/trades_snapshot"), 1))

    assert [(json.loads(e.payload)["trade_id"], e.index) for e in elements] == [
        ("1", 2),
        ("2", 1),
        ("3", 0),
    ]


def test_after_a_reconnection_a_snapshot_publishes_only_what_was_missed() -> None:
    session = a_session()
    seen = numbered("trades_snapshot", 1).replace(b'"trade_id": "3"', b'"trade_id": "0"')
    session.received(seen, 1)
    session.closed(1006, "", 2)
    session.opened(3)

    elements = published(session.received(numbered("trades_snapshot", 0), 4))

    assert [json.loads(e.payload)["trade_id"] for e in elements] == ["3"]


def test_a_gap_publishes_what_came_and_reconnects() -> None:
    actions = a_session().received(sample("coinbase/trades_update"), 1)

    assert isinstance(actions[0], Publish)
    assert actions[1] == Close("sequence gap: 1 wanted, 5 came")


def test_a_repeated_frame_is_dropped() -> None:
    session = a_session()
    session.received(numbered("ticker", 1), 1)

    assert session.received(numbered("ticker", 1), 2) == []


def test_each_connection_counts_from_its_own_start() -> None:
    session = a_session()
    session.closed(1006, "", 1)
    session.opened(2)

    assert session.received(numbered("ticker", 77), 3)[0] == Publish(
        published(a_session().received(numbered("ticker", 1), 1))
    )


@pytest.mark.parametrize(
    "frame", [b"", b"{", b"[]", b"{}", b'{"channel":"ticker","sequence_num":"1"}']
)
def test_a_frame_that_cannot_be_read_is_published_whole(frame: bytes) -> None:
    assert a_session().received(frame, 1) == [Publish([Element(UNREADABLE, frame, 0)])]


def test_a_trade_without_a_product_is_published_as_unreadable() -> None:
    frame = numbered("trades_update", 1).replace(b'"BTC-USD"', b"7")

    [element] = published(a_session().received(frame, 1))

    assert element.symbol == UNREADABLE


def test_an_error_is_noted_and_the_connection_stays() -> None:
    [noted] = a_session().received(sample("coinbase/error"), 1)

    assert isinstance(noted, Noted)


def test_a_channel_without_acknowledgement_is_refused_once() -> None:
    session = CoinbaseProtocol(["BTC-USD"], Deadlines(ack_s=10, stale_s=60))
    session.opened(0)
    session.received(sample("coinbase/subscriptions").replace(b',"ticker":["BTC-USD"]', b""), 1)

    assert session.passed(10 * S) == [Refused("ticker", "not acknowledged")]
    assert session.passed(11 * S) == []


def test_missing_heartbeats_are_stale_even_if_pings_are_answered() -> None:
    session = a_session()
    session.heard(9 * S)

    assert session.passed(10 * S) == [Close("no heartbeat for 10.0 s", stale=True)]


def test_silence_while_we_did_not_read_is_ours() -> None:
    session = a_session()
    session.paused(9 * S)

    assert session.passed(10 * S) == []


def test_a_refused_opening_is_fatal() -> None:
    assert isinstance(a_session().closed(403, "", 1)[0], Stop)


def test_nothing_is_published_between_connections() -> None:
    session = a_session()
    session.closed(1006, "", 1)

    assert session.received(numbered("ticker", 1), 2) == []
    assert session.passed(100 * S) == []


@given(st.lists(st.binary(max_size=40), max_size=5))
def test_no_frame_makes_it_raise(received: list[bytes]) -> None:
    session = a_session()

    for frame in received:
        assert all(isinstance(action, Action) for action in session.received(frame, 1))


def test_the_channels_include_the_heartbeats() -> None:
    assert "heartbeats" in frames.CHANNELS
