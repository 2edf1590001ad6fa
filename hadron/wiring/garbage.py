"""How often a process that steps records looks for garbage."""

from __future__ import annotations

import gc


def look_seldom() -> None:
    """For the rest of the process: records come and go by the thousand, and make no cycles."""
    gc.collect()
    gc.freeze()  # what was imported lives as long as we do
    gc.set_threshold(20_000, 20, 50)
