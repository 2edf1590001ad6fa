"""Which venues there are: their parsers, their addresses, their sessions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from hadron.errors import SettingsError
from hadron.settings import Settings
from hadron.variables import variable
from hadron.venues.coinbase import parse as coinbase_parse
from hadron.venues.coinbase import protocol as coinbase
from hadron.venues.massive import parse as massive_parse
from hadron.venues.massive import protocol as massive
from hadron.venues.parsed import Parser
from hadron.venues.protocol import VenueProtocol

PARSERS: Mapping[str, Parser] = {
    "massive": massive_parse.parse,
    "coinbase": coinbase_parse.parse,
}
MASSIVE_URLS: Mapping[str, str] = {
    "realtime": "wss://socket.massive.com/stocks",
    "delayed": "wss://delayed.massive.com/stocks",
}


def url_of(venue: str, settings: Settings) -> str:
    """Where the venue's WebSocket is. Raise SettingsError for a venue that we do not know."""
    _known(venue)
    if venue == "coinbase":
        return settings.coinbase_url
    return settings.massive_url or MASSIVE_URLS[settings.websocket_mode]


def protocol_of(venue: str, settings: Settings) -> VenueProtocol:
    """A session for the symbols of the settings. Raise SettingsError for what is missing."""
    _known(venue)
    symbols = [symbol.strip() for symbol in settings.symbols.split(",") if symbol.strip()]
    if not symbols:
        raise SettingsError([f"{variable('symbols')}: is empty; symbols by comma are wanted"])
    return _MAKERS[venue](symbols, settings)


def _massive(symbols: Sequence[str], settings: Settings) -> VenueProtocol:
    if settings.massive_key is None or not settings.massive_key.get_secret_value():
        raise SettingsError([f"{variable('massive_key')}: is not set; Massive wants an API key"])
    topics = [f"{code}.{symbol}" for symbol in symbols for code in ("T", "Q")]
    return massive.MassiveProtocol(
        settings.massive_key, topics, massive.Deadlines(stale_s=settings.stale_after_s)
    )


def _coinbase(symbols: Sequence[str], settings: Settings) -> VenueProtocol:
    return coinbase.CoinbaseProtocol(symbols, coinbase.Deadlines(stale_s=settings.stale_after_s))


_MAKERS: Mapping[str, Callable[[Sequence[str], Settings], VenueProtocol]] = {
    "massive": _massive,
    "coinbase": _coinbase,
}


def _known(venue: str) -> None:
    if venue not in _MAKERS:
        raise SettingsError([f"venue: {venue!r}; one of {', '.join(sorted(_MAKERS))} is wanted"])
