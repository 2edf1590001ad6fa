"""Environments of peers: made once, with versions that are pinned, and never mixed with ours."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

# What is installed for each.
PEERS = {"vectorbt": "vectorbt==1.2.0"}


def python_of(peer: str, folder: Path) -> Path:
    """The interpreter of a peer's environment, which is made if there is none."""
    python = folder / peer / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder / peer)], check=True)
        install = [str(python), "-m", "pip", "install", "--quiet", PEERS[peer]]
        subprocess.run(install, check=True)
    return python
