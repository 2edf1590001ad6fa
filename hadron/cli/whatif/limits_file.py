"""The file of limits, as `hadron control show --json` writes what is in force."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from hadron.control.facts import LimitsChanged
from hadron.errors import SettingsError

SUBJECT = "limits/"
_WANTED = (
    '{"limits/<portfolio>": {"position": "500", "notional": "50000", "exposure": "100000"}},'
    " or what `hadron control show --json` prints"
)


class Limits(msgspec.Struct, frozen=True):
    """Of one portfolio. What else is in the file, such as the author, is passed over."""

    position: Decimal
    notional: Decimal
    exposure: Decimal


def read_limits(path: Path) -> dict[str, LimitsChanged]:
    """By portfolio. Raise SettingsError naming the file and what is wrong in it."""
    try:
        found = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
    except OSError as error:
        raise SettingsError([f"--limits: {path}: {error.strerror}; wanted a file"]) from None
    except msgspec.DecodeError as error:
        raise _wrong(path, str(error)) from None
    limits = {
        subject.removeprefix(SUBJECT): _limits(path, subject, said)
        for subject, said in found.items()
        if subject.startswith(SUBJECT)
    }
    if not limits:
        raise _wrong(path, "has no limits of any portfolio")
    return limits


def _limits(path: Path, subject: str, said: Any) -> LimitsChanged:
    if isinstance(said, dict):
        said = said.get("fact", said)
    try:
        limits = msgspec.convert(said, Limits, strict=False)
    except msgspec.ValidationError as error:
        raise _wrong(path, f"{subject}: {error}") from None
    for name, number in msgspec.structs.asdict(limits).items():
        if not number.is_finite() or number < 0:
            raise _wrong(path, f"{subject}: {name} is {number}, wanted a number, 0 or more")
    return LimitsChanged(
        author="counterfactual",
        reason=str(path),
        at_ns=0,
        version=0,
        portfolio=subject.removeprefix(SUBJECT),
        **msgspec.structs.asdict(limits),
    )


def _wrong(path: Path, problem: str) -> SettingsError:
    return SettingsError([f"--limits: {path}: {problem}; wanted {_WANTED}"])
