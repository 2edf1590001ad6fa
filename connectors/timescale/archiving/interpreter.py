"""How the interpreter works best while rows are made by the thousand, and written by a thread."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_TURN_S = 0.0002


@contextmanager
def for_many_rows() -> Iterator[None]:
    """Look for garbage seldom, and let threads take turns often; as it was before, at the end."""
    thresholds, turn_s = gc.get_threshold(), sys.getswitchinterval()
    # Thousands of rows live until they are written: young ones are not garbage.
    gc.set_threshold(50_000, 20, 100)
    # The writer asks for the interpreter a dozen times a batch, and the database waits for it.
    sys.setswitchinterval(_TURN_S)
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        sys.setswitchinterval(turn_s)
