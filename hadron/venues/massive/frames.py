"""What we send to Massive, to the byte (massive.com, "WebSocket quickstart")."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from pydantic import SecretStr

_encode = msgspec.json.encode


def auth(key: SecretStr) -> bytes:
    """The only frame that holds the key; nothing else may unwrap it."""
    return _encode({"action": "auth", "params": key.get_secret_value()})


def subscribe(topics: Sequence[str]) -> bytes:
    """Ask for topics, each `CODE.TICKER`."""
    return _encode({"action": "subscribe", "params": ",".join(topics)})


def unsubscribe(topics: Sequence[str]) -> bytes:
    """Ask for no more of these topics."""
    return _encode({"action": "unsubscribe", "params": ",".join(topics)})
