"""The local stack as one thing: up, down and what runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

import msgspec
import platformdirs

from connectors import signing
from connectors.local import daemon, kafka, postgres, valkey

Name = Literal["kafka", "postgres", "valkey"]
ALL: frozenset[Name] = frozenset({"kafka", "postgres", "valkey"})
Progress = Callable[[str], None]


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


def up(directory: Path, *, progress: Progress, need: frozenset[Name] = ALL) -> Endpoints:
    """Start what is needed and does not run yet; all of it outlives this process.

    Raise TransientError with the end of the log of a server that does not come up.
    """
    directory = directory.expanduser().resolve()
    directory.mkdir(parents=True, exist_ok=True)
    starts: Mapping[Name, Callable[[], str]] = {
        "kafka": lambda: kafka.start(directory / "kafka", progress=progress),
        "postgres": lambda: postgres.start(directory / "postgres"),
        "valkey": lambda: valkey.start(directory / "valkey"),
    }
    with daemon.locked(directory / "lock"), ThreadPoolExecutor(len(starts)) as pool:
        begun = [pool.submit(_again, starts[name]) for name in sorted(need)]
        for future in begun:
            future.result()
        if not anchor_key(directory).exists():
            signing.create(anchor_key(directory))
    return endpoints(directory)


def _again(start: Callable[[], str]) -> str:
    """Start a server; once more, with other ports, if it ended: they were free only before."""
    try:
        return start()
    except daemon.Ended:
        return start()


def down(directory: Path, *, progress: Progress) -> None:
    """Stop whatever runs, cleanly. Data and ports are kept for the next `up`."""
    directory = directory.expanduser().resolve()
    if not directory.exists():
        return
    stops: list[Callable[[], None]] = [
        lambda: kafka.stop(directory / "kafka", progress=progress),
        lambda: postgres.stop(directory / "postgres"),
        lambda: valkey.stop(directory / "valkey"),
    ]
    with daemon.locked(directory / "lock"), ThreadPoolExecutor(len(stops)) as pool:
        for future in [pool.submit(stop) for stop in stops]:
            future.result()


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
        kafka=kafka.address(broker) if (broker := running["kafka"]) else "",
        database=postgres.url(server) if (server := running["postgres"]) else "",
        redis=valkey.url(store) if (store := running["valkey"]) else "",
    )
