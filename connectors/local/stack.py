"""The local stack as one thing: up, down and what runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from connectors import signing
from connectors.local import daemon, kafka, postgres, valkey
from connectors.local.places import (
    Endpoints,
    Name,
    anchor_file,
    anchor_key,
    default_directory,
    endpoints,
    state,
)

__all__ = [
    "ALL",
    "Endpoints",
    "Name",
    "anchor_file",
    "anchor_key",
    "default_directory",
    "down",
    "endpoints",
    "state",
    "up",
]

ALL: frozenset[Name] = frozenset({"kafka", "postgres", "valkey"})
Progress = Callable[[str], None]


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
