"""How models are named on a command line: `name` or `name:what it needs`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import TypeVar

from hadron.errors import SettingsError

T = TypeVar("T")
_NS = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": 1_000_000_000, "m": 60_000_000_000}


def named(option: str, text: str, known: Mapping[str, Callable[[str], T]]) -> T:
    """The model that `text` names. Raise SettingsError naming the option, the text and the wish."""
    name, _, rest = text.partition(":")
    if name not in known:
        raise SettingsError([f"--{option}: {text!r}; wanted one of {', '.join(known)}"])
    try:
        return known[name](rest)
    except ValueError as error:
        raise SettingsError([f"--{option}: {text!r}; {error}"]) from None


def amount(text: str, wanted: str) -> Decimal:
    """A finite number. Raise ValueError saying what is wanted."""
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        number = Decimal("nan")
    if not number.is_finite():
        raise ValueError(f"wanted {wanted}")
    return number


def above_zero(text: str, wanted: str) -> Decimal:
    """A number above 0. Raise ValueError saying what is wanted."""
    number = amount(text, wanted)
    if number <= 0:
        raise ValueError(f"wanted {wanted}")
    return number


def nanoseconds(text: str, wanted: str) -> int:
    """A time as in 250us, 5ms or 1.5s. Raise ValueError saying what is wanted."""
    digits = text.strip().rstrip("numsh")
    unit = text.strip()[len(digits) :]
    if unit not in _NS:
        raise ValueError(f"wanted {wanted}")
    found = amount(digits, wanted) * _NS[unit]
    if found < 0:
        raise ValueError(f"wanted {wanted}")
    return int(found)


def nothing(text: str) -> None:
    """Raise ValueError if a model that needs nothing is given something."""
    if text:
        raise ValueError("wanted nothing behind the name")
