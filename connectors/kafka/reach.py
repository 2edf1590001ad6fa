"""Whether a broker is there at all, found out without Kafka's client."""

from __future__ import annotations

import socket
from contextlib import suppress


def answers(servers: str, *, timeout_s: float = 0.3) -> bool:
    """Whether any of the bootstrap servers accepts a connection within that time."""
    for server in servers.split(","):
        host, _, port = server.strip().rpartition(":")
        with suppress(OSError, ValueError):
            socket.create_connection((host, int(port)), timeout=timeout_s).close()
            return True
    return False
