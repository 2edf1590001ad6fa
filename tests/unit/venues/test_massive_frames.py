"""What we send to Massive, to the byte; the key is in one frame and shows nowhere."""

from __future__ import annotations

from pydantic import SecretStr

from hadron.venues.massive import frames
from hadron.venues.protocol import Send


def test_frames_are_what_the_venue_documents() -> None:
    assert frames.auth(SecretStr("KEY")) == b'{"action":"auth","params":"KEY"}'
    assert (
        frames.subscribe(["T.AAPL", "Q.AAPL", "AM.MSFT"])
        == b'{"action":"subscribe","params":"T.AAPL,Q.AAPL,AM.MSFT"}'
    )
    assert frames.unsubscribe(["T.AAPL"]) == b'{"action":"unsubscribe","params":"T.AAPL"}'


def test_a_key_with_quotes_cannot_break_out_of_its_frame() -> None:
    assert frames.auth(SecretStr('a"b')) == b'{"action":"auth","params":"a\\"b"}'


def test_an_action_does_not_show_what_it_sends() -> None:
    assert "KEY" not in repr(Send(frames.auth(SecretStr("KEY"))))
    assert "KEY" not in f"{[Send(b'KEY')]}"
