"""Which market a demo plays, and the processes that bring it in."""

from __future__ import annotations

import socket
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from hadron.cli.fleet import Job
from hadron.errors import SettingsError

CONNECT_S = 3.0
STOCKS = ("AIG", "BAC", "IBM", "SPY")
COINS = ("BTC-USD", "ETH-USD")


class Market(msgspec.Struct, frozen=True):
    """A source of events. `label` says wherever it shows what kind of prices these are."""

    label: str
    venue: str
    symbols: tuple[str, ...]
    feed: Job
    simulator: Job | None = None


def live(symbols: tuple[str, ...]) -> Market:
    """The public feed of Coinbase."""
    chosen = symbols or COINS
    feed = Job("feed", ("--venue", "coinbase"), {"HADRON_SYMBOLS": ",".join(chosen)})
    return Market(f"live: Coinbase {', '.join(chosen)}", "coinbase", chosen, feed)


def tape(folder: Path, symbols: tuple[str, ...], days: tuple[str, ...], speed: str) -> Market:
    """Recorded ticks. Raise SettingsError if the folder has none of them."""
    if not folder.is_dir():
        raise SettingsError(
            [f"--tape: {str(folder)!r} is no folder; wanted one with recorded ticks"]
        )
    chosen = symbols or STOCKS
    which = f"{', '.join(chosen)}, {', '.join(days) or 'all days'}"
    arguments = ["--tape", str(folder), "--speed", speed]
    for day in days:
        arguments += ["--day", day]
    return _simulated(f"tape: {which}", chosen, arguments)


def generated(symbols: tuple[str, ...], seed: int, speed: str) -> Market:
    """A market made from a seed."""
    chosen = symbols or STOCKS
    arguments = ["--seed", str(seed), "--speed", speed]
    return _simulated(f"simulated: {', '.join(chosen)}, seed {seed}", chosen, arguments)


def reachable(url: str) -> bool:
    """Whether a connection to the host of a wss:// address can be opened now."""
    parts = urlsplit(url)
    try:
        with socket.create_connection((parts.hostname or "", parts.port or 443), CONNECT_S):
            return True
    except OSError:
        return False


def _simulated(label: str, symbols: tuple[str, ...], arguments: list[str]) -> Market:
    from connectors.local.daemon import free_ports

    [port] = free_ports(1, preferred=())
    listen = {"HADRON_SIMULATOR_PORT": str(port), "HADRON_SYMBOLS": ",".join(symbols)}
    feed = Job(
        "feed",
        ("--venue", "massive"),
        {
            "HADRON_SYMBOLS": ",".join(symbols),
            "HADRON_MASSIVE_URL": f"ws://127.0.0.1:{port}/stocks",
            "HADRON_MASSIVE_KEY": "simulated",
        },
    )
    return Market(label, "massive", symbols, feed, Job("simulator", tuple(arguments), listen))
