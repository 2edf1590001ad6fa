"""What a session with Massive publishes of each frame."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hadron.venues.protocol import (
    UNREADABLE,
    Action,
    Element,
    Moved,
    Phase,
    Publish,
)
from tests.unit.venues.samples import sample
from tests.unit.venues.sessions import TRADE, a_session


def test_data_may_overtake_the_acknowledgements() -> None:
    session = a_session(Phase.SUBSCRIBING)

    actions = session.received(b"[" + TRADE + b"]", 1)

    assert actions == [Publish([Element("MSFT", TRADE, 0)]), Moved(Phase.LIVE)]


def test_acknowledgements_and_data_may_share_a_frame() -> None:
    actions = a_session(Phase.SUBSCRIBING).received(sample("massive/ack_with_data"), 1)

    assert actions == [Moved(Phase.LIVE), Publish([Element("MSFT", TRADE, 1)])]


def test_a_frame_of_several_symbols_keeps_bytes_and_places() -> None:
    frame = sample("massive/mixed")

    [published] = a_session().received(frame, 1)

    assert isinstance(published, Publish)
    assert [(e.symbol, e.index) for e in published.elements] == [
        ("MSFT", 0),
        ("AAPL", 1),
        ("GTE", 2),
    ]
    assert b"[" + b",".join(e.payload for e in published.elements) + b"]" == frame


@pytest.mark.parametrize("frame", [b"", b"{", b"null", b'{"ev":"T"}', b'[{"ev":"T","sym":"A"'])
def test_a_frame_that_cannot_be_read_is_published_whole(frame: bytes) -> None:
    assert a_session().received(frame, 1) == [Publish([Element(UNREADABLE, frame, 0)])]


def test_an_element_that_cannot_be_read_does_not_harm_its_neighbours() -> None:
    actions = a_session().received(b'[7,{"ev":"T","sym":"A"},{"sym":3}]', 1)

    assert actions == [
        Publish(
            [
                Element(UNREADABLE, b"7", 0),
                Element("A", b'{"ev":"T","sym":"A"}', 1),
                Element(UNREADABLE, b'{"sym":3}', 2),
            ]
        )
    ]


def test_an_empty_frame_is_nothing() -> None:
    assert a_session().received(b"[]", 1) == []


@given(st.lists(st.binary(max_size=40), max_size=5))
def test_no_frame_makes_it_raise(received: list[bytes]) -> None:
    session = a_session()

    for frame in received:
        assert all(isinstance(action, Action) for action in session.received(frame, 1))
