"""pyarrow comes with an extra: only exporting and restoring need it."""

from __future__ import annotations

from importlib.util import find_spec

from hadron.errors import HadronError

NEEDED = "pyarrow"


def demand(module: str = NEEDED) -> None:
    """Raise HadronError, naming the extra, where pyarrow is not installed."""
    if find_spec(module) is None:
        raise HadronError(f"{module} is not installed; install hadron-platform[arrow]")
