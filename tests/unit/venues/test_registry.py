"""Venues by name: parsers, addresses and sessions from the settings."""

from __future__ import annotations

import pytest

from hadron.errors import SettingsError
from hadron.settings import Settings, settings_from
from hadron.topics import VENUES
from hadron.venues.protocol import Send
from hadron.venues.registry import PARSERS, protocol_of, url_of


def settings(**changes: str) -> Settings:
    """Settings of a feed."""
    known = {"HADRON_KAFKA": "k:1", "HADRON_SYMBOLS": "AAPL, MSFT", "HADRON_MASSIVE_KEY": "k-123"}
    return settings_from(known | {f"HADRON_{name.upper()}": text for name, text in changes.items()})


def test_every_venue_with_a_topic_has_a_parser_and_a_session() -> None:
    assert set(PARSERS) == set(VENUES)
    for venue in VENUES:
        assert protocol_of(venue, settings())
        assert url_of(venue, settings()).startswith("wss://")


def test_a_session_asks_for_the_symbols_of_the_settings() -> None:
    sent = [a for a in protocol_of("coinbase", settings()).opened(0) if isinstance(a, Send)]

    assert b'"product_ids":["AAPL","MSFT"]' in sent[0].frame


def test_an_address_of_our_own_replaces_the_public_one() -> None:
    assert url_of("massive", settings(massive_url="ws://sim")) == "ws://sim"
    assert "delayed" in url_of("massive", settings())
    assert "delayed" not in url_of("massive", settings(websocket_mode="realtime"))


@pytest.mark.parametrize(
    ("venue", "changes", "sentence"),
    [
        ("massive", {"massive_key": ""}, "HADRON_MASSIVE_KEY"),
        ("massive", {"symbols": " ,"}, "HADRON_SYMBOLS"),
        ("nasdaq", {}, "coinbase, massive"),
    ],
)
def test_what_is_missing_is_named(venue: str, changes: dict[str, str], sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        protocol_of(venue, settings(**changes))


def test_an_unknown_venue_has_no_address() -> None:
    with pytest.raises(SettingsError, match="nasdaq"):
        url_of("nasdaq", settings())
