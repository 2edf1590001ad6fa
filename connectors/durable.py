"""Files that are on the disk, and not only on their way to it."""

from __future__ import annotations

import os
from pathlib import Path


def create_private(path: Path, content: bytes) -> None:
    """Make a file that its owner alone can read, and return when it is on the disk.

    Raise FileExistsError if it is there, OSError if it cannot be made.
    """
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def sync(path: Path) -> None:
    """Return when what was written to a file, or to the names in a folder, is on the disk."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
