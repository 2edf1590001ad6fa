"""What we send to Coinbase, to the byte (Advanced Trade WebSocket, one channel per message)."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

# Quiet channels are closed after 60 to 90 s unless `heartbeats` is subscribed too.
CHANNELS = ("heartbeats", "market_trades", "ticker")


def subscribe(channel: str, products: Sequence[str]) -> bytes:
    """Ask for one public channel; no key is needed."""
    return msgspec.json.encode(
        {"type": "subscribe", "product_ids": list(products), "channel": channel}
    )
