"""What the simulator does wrong on purpose, and when: `drop@5000, silence@8000:3, bad-auth@1`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import msgspec

from hadron.errors import SettingsError

# Before the event with this number (from 0, over all connections):
#   drop      the connection ends without a close frame
#   silence   for some seconds neither events nor answers to pings, on this connection
#   garbage   a frame that is no JSON
#   evict     max_connections, then close 1008
# At the connection with this number (from 1):
#   hangup    the connection ends right after the greeting
#   bad-auth  the key is refused
Kind = Literal["drop", "silence", "garbage", "evict", "hangup", "bad-auth"]


class Fault(msgspec.Struct, frozen=True):
    """One thing that goes wrong once."""

    kind: Kind
    at: int
    seconds: float = 0.0


def faults(text: str) -> Sequence[Fault]:
    """Read a list by comma. Raise SettingsError naming every entry that is wrong."""
    found: list[Fault] = []
    problems: list[str] = []
    for entry in filter(None, (part.strip() for part in text.split(","))):
        try:
            found.append(_fault(entry))
        except ValueError as error:
            problems.append(f"faults: {entry!r}: {error}")
    if problems:
        raise SettingsError(problems)
    return sorted(found, key=lambda fault: fault.at)


def _fault(entry: str) -> Fault:
    kind, _, rest = entry.partition("@")
    if kind not in get_args(Kind):
        raise ValueError(f"one of {', '.join(get_args(Kind))} is wanted before the @")
    at, timed, seconds = rest.partition(":")
    if not (at.isascii() and at.isdigit()):
        raise ValueError("a whole number is wanted after the @")
    if (kind == "silence") != bool(timed):
        raise ValueError("silence wants :SECONDS after the number, and nothing else does")
    if kind in ("hangup", "bad-auth") and at == "0":
        raise ValueError("connections are counted from 1")
    fault = Fault(kind, int(at), float(seconds) if timed else 0.0)  # type: ignore[arg-type]
    if timed and not 0 < fault.seconds < 86_400:
        raise ValueError("seconds between 0 and 86400 are wanted after the :")
    return fault
