"""Environments of peers: made once, with versions that are pinned, and never mixed with ours."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import msgspec


class Peer(msgspec.Struct, frozen=True):
    """What is installed for a peer, and the oldest Python that it runs on."""

    packages: tuple[str, ...]
    python: tuple[int, int] = (3, 11)


# What peers that normalize decode, parse and encode with.
WORK = ("fastavro==1.13.1", "msgspec==0.22.0")
PEERS = {
    "vectorbt": Peer(("vectorbt==1.2.0",)),
    "nautilus": Peer(("nautilus_trader==1.231",), (3, 12)),
    "quix": Peer(("quixstreams==3.28.0", *WORK)),
    "faust": Peer(("faust-streaming==0.15.3", "aiokafka==0.14.0", "cramjam==2.14.0", *WORK)),
}
INTERPRETERS = ("python3.13", "python3.12", "python3")
PYTHON = "PEERS_PYTHON"


class NotCompared(Exception):
    """Says why a peer cannot be had here."""


def python_of(name: str, folder: Path) -> Path:
    """The interpreter of a peer's environment, which is made if there is none.

    Raise NotCompared where no interpreter here is new enough.
    """
    peer, python = PEERS[name], folder / name / "bin" / "python"
    if not python.exists():
        subprocess.run([_interpreter(name, peer), "-m", "venv", str(folder / name)], check=True)
        install = [str(python), "-m", "pip", "install", "--quiet", *peer.packages]
        subprocess.run(install, check=True)
    return python


def _interpreter(name: str, peer: Peer) -> str:
    asked = os.environ.get(PYTHON)
    for found in (asked,) if asked else (sys.executable, *INTERPRETERS):
        if _version(found) >= peer.python:
            return found
    wanted = ".".join(map(str, peer.python))
    raise NotCompared(
        f"{name} needs Python {wanted} or newer, and {asked or ', '.join(INTERPRETERS)} is none;"
        f" wanted one in PATH, or its path in {PYTHON}"
    )


def _version(python: str) -> tuple[int, int]:
    """(0, 0) where it does not run."""
    ask = [python, "-c", "import sys; print(*sys.version_info[:2])"]
    try:
        said = subprocess.run(ask, capture_output=True, text=True, check=True).stdout.split()
    except (OSError, subprocess.CalledProcessError):
        return 0, 0
    return int(said[0]), int(said[1])
