"""What a check found."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

Severity = Literal["info", "warning", "error"]


class Finding(msgspec.Struct, frozen=True):
    """`severity` is how bad it is where it is not ok; `remedy` is then what to do."""

    check: str
    ok: bool
    severity: Severity
    seen: str
    wanted: str = ""
    remedy: str = ""

    @property
    def failed(self) -> bool:
        """Whether Hadron cannot work like this."""
        return not self.ok and self.severity == "error"


def sound(check: str, seen: str) -> Finding:
    """All is as it should be."""
    return Finding(check, True, "info", seen)


def note(check: str, seen: str, *, wanted: str = "", remedy: str = "") -> Finding:
    """Worth knowing; it may be meant so."""
    return Finding(check, False, "info", seen, wanted, remedy)


def warning(check: str, seen: str, *, wanted: str, remedy: str) -> Finding:
    """It works, but not as well or not for long."""
    return Finding(check, False, "warning", seen, wanted, remedy)


def error(check: str, seen: str, *, wanted: str, remedy: str) -> Finding:
    """It does not work."""
    return Finding(check, False, "error", seen, wanted, remedy)


def listed(names: Iterable[object]) -> str:
    """Names in a sentence, by comma."""
    return ", ".join(map(str, names))
