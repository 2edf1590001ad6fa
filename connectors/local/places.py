"""Where the local stack's data lies and its servers are reached, for who starts none of them."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec
import platformdirs

from connectors.local import daemon

Name = Literal["kafka", "postgres", "valkey"]
DATABASE = "hadron"


class Endpoints(msgspec.Struct, frozen=True):
    """Where the servers are reached; empty for one that does not run."""

    kafka: str = ""
    database: str = ""
    redis: str = ""


def default_directory() -> Path:
    """Where the data of this user's stack lies."""
    return platformdirs.user_data_path("hadron")


def anchor_key(directory: Path) -> Path:
    """The key that signs what this stack stores; `up` makes it."""
    return directory / "anchor-key.pem"


def anchor_file(directory: Path) -> Path:
    """Where the signed heads of what this stack stores are."""
    return directory / "anchors.jsonl"


def state(directory: Path) -> dict[Name, daemon.Daemon | None]:
    """Each server's process and ports, or None where it does not run."""
    directory = directory.expanduser().resolve()
    return {
        "kafka": daemon.find(directory / "kafka"),
        "postgres": daemon.find(directory / "postgres"),
        "valkey": daemon.find(directory / "valkey"),
    }


def endpoints(directory: Path) -> Endpoints:
    """Where the servers that run now are reached."""
    running = state(directory)
    return Endpoints(
        kafka=kafka_address(broker) if (broker := running["kafka"]) else "",
        database=database_url(server) if (server := running["postgres"]) else "",
        redis=redis_url(store) if (store := running["valkey"]) else "",
    )


def kafka_address(running: daemon.Daemon) -> str:
    """Where a running broker is reached."""
    return f"127.0.0.1:{running.ports[0]}"


def database_url(running: daemon.Daemon) -> str:
    """Where a running PostgreSQL is reached."""
    return f"postgresql://postgres@127.0.0.1:{running.ports[0]}/{DATABASE}"


def redis_url(running: daemon.Daemon) -> str:
    """Where a running Valkey is reached."""
    return f"redis://127.0.0.1:{running.ports[0]}/0"
