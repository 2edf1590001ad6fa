"""The reasons for which a test may be skipped: all of them stand in one file."""

from __future__ import annotations

from pathlib import Path

FILE = Path(__file__).with_name("allowed_skips.txt")


def allowed() -> list[str]:
    """What the words of a skip may begin with."""
    lines = [line.strip() for line in FILE.read_text("utf-8").splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def is_allowed(reason: str) -> bool:
    """Whether a skip for this reason is foreseen."""
    return reason.removeprefix("Skipped: ").startswith(tuple(allowed()))


def refusal(reason: str) -> str:
    """What to say of a skip that is not."""
    return f"skipped for a reason that {FILE.name} does not list: {reason!r}"
