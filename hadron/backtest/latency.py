"""How long an order takes to the exchange: a pure function of the order's id and a seed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import sha256
from math import cos, exp, log, pi, sqrt

from hadron.backtest.naming import above_zero, named, nanoseconds, nothing

Latency = Callable[[str], int]  # of an order id, in ns


def latency(text: str, *, seed: int) -> Latency:
    """The model of `--latency`. Raise SettingsError.

    none; fixed:5ms; uniform:1ms-5ms; lognormal:5ms,0.5 by median and sigma of the logarithm. One
    order's draws do not depend on other orders.
    """
    known: Mapping[str, Callable[[str], Latency]] = {
        "none": _none,
        "fixed": _fixed,
        "uniform": lambda rest: _uniform(rest, seed),
        "lognormal": lambda rest: _lognormal(rest, seed),
    }
    return named("latency", text, known)


def _none(text: str) -> Latency:
    nothing(text)
    return lambda _: 0


def _fixed(text: str) -> Latency:
    ns = nanoseconds(text, "fixed:TIME, as in fixed:5ms")
    return lambda _: ns


def _uniform(text: str, seed: int) -> Latency:
    wanted = "uniform:SHORTEST-LONGEST, as in uniform:1ms-5ms"
    first, _, last = text.partition("-")
    shortest, longest = nanoseconds(first, wanted), nanoseconds(last, wanted)
    if longest < shortest:
        raise ValueError(f"wanted {wanted}")
    return lambda order: shortest + int(_draw(seed, order, 0) * (longest - shortest + 1))


def _lognormal(text: str, seed: int) -> Latency:
    wanted = "lognormal:MEDIAN,SIGMA, as in lognormal:5ms,0.5"
    middle, _, width = text.partition(",")
    median, sigma = nanoseconds(middle, wanted), float(above_zero(width, wanted))

    def drawn(order: str) -> int:
        # Box and Muller (1958): two uniform draws make a normal one.
        radius = sqrt(-2 * log(1 - _draw(seed, order, 0)))
        return int(median * exp(sigma * radius * cos(2 * pi * _draw(seed, order, 1))))

    return drawn


def _draw(seed: int, order: str, number: int) -> float:
    """Uniform in [0, 1), of 53 bits: as many as a float has."""
    digest = sha256(f"{seed}/{order}/{number}".encode()).digest()
    return (int.from_bytes(digest[:8]) >> 11) / 2**53
