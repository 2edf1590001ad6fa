"""How far this machine's clock may be from UTC, as its kernel knows it: adjtimex(2), on Linux."""

from __future__ import annotations

import ctypes
from math import nan

from hadron import metrics
from hadron.ports import Alarms, Telemetry

_UNSYNCHRONISED = 0x0040  # STA_UNSYNC: nobody disciplines the clock
_FAILED = -1


class Timex(ctypes.Structure):
    """The kernel's `struct timex`; with `modes` 0 it is only read."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),  # microseconds
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_long * 64),  # more than any kernel writes
    )


def error_s() -> float | None:
    """The most that the clock may be off. None where nobody disciplines it, or nobody can tell."""
    read = Timex()
    adjtimex = getattr(ctypes.CDLL(None), "adjtimex", None)
    if adjtimex is None or adjtimex(ctypes.byref(read)) == _FAILED:
        return None
    return known_error_s(status=read.status, maxerror_us=read.maxerror)


def known_error_s(*, status: int, maxerror_us: int) -> float | None:
    """What the kernel's numbers mean."""
    return None if status & _UNSYNCHRONISED else maxerror_us / 1e6


def tell(off_s: float | None, *, telemetry: Telemetry, alarms: Alarms, limit_s: float) -> None:
    """Export it, and tell people where it is beyond the limit, or not known."""
    telemetry.gauge(metrics.CLOCK_ERROR, nan if off_s is None else off_s)
    if off_s is None:
        alarms.raised("clock", "nobody synchronises the clock of this machine", severity="warning")
    else:
        text = f"the clock of this machine may be {off_s * 1e6:.0f} us off"
        alarms.measured("clock", off_s, limit=limit_s, text=text)
