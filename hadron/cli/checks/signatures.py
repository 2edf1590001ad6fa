"""The key that signs the heads of the chains."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hadron.cli.checks.finding import Finding, error, sound, warning
from hadron.errors import SettingsError
from hadron.variables import variable

if TYPE_CHECKING:
    from hadron.settings import Settings


def key(settings: Settings) -> Finding:
    """Without a key what is stored is chained, but nobody outside can tell a new chain from it."""
    from connectors import signing

    name = variable("anchor_key_file")
    if settings.anchor_key_file is None:
        return warning(
            "anchors",
            f"{name} is not set: the chains are kept, and their heads are not signed",
            wanted="a key, so that a chain that was written anew is found",
            remedy=f"`hadron keys create`, then set {name} for the archive",
        )
    path = Path(settings.anchor_key_file).expanduser()
    try:
        signing.load(path)
    except SettingsError as problem:
        wanted, remedy = "a key that only its owner reads", "correct it, or `hadron keys create`"
        return error("anchors", str(problem), wanted=wanted, remedy=remedy)
    return sound("anchors", f"signed by {path}")
