"""What goes wrong in a run, and when: drawn from its seed."""

from __future__ import annotations

from random import Random
from typing import NamedTuple

from hadron.topics import TICKS
from tests.simulation.market import INPUTS, LASTS_S
from tests.simulation.workers import KINDS, SESSION_S

KINDS_OF_FAULTS = (
    *("kill", "kill", "catch", "catch", "catch", "catch", "stop", "join", "flap", "flap", "flap"),
    *("away", "freeze", "repeat", "repeat", "compact"),
)
MAY_REPEAT = (
    *(topic.name for topic in TICKS.values()),
    "decisions",
    "orders",
    "marks",
    "positions",
)
MOST_FAULTS = 12
SOON_SHARE, SOON_S = 0.4, 0.3  # faults that come soon after another


class Fault(NamedTuple):
    """One thing that goes wrong. `victim` is a process, or a topic whose next batch comes twice."""

    at_s: float
    kind: str
    victim: str
    lasts_s: float


class Schedule(NamedTuple):
    """A run."""

    seed: int
    market: int
    workers: dict[str, int]
    faults: list[Fault]


def undisturbed(market: int) -> Schedule:
    """A run in which nothing goes wrong."""
    return Schedule(0, market, dict.fromkeys(KINDS, 1), [])


def drawn(seed: int) -> Schedule:
    """The run of a seed."""
    draw = Random(f"schedule {seed}")
    workers = {process: draw.choice((1, 1, 2, 3)) for process in KINDS}
    victims = draw.sample(sorted(KINDS), draw.choice((1, 2, 5)))
    faults, at_s = list[Fault](), 0.0
    for _ in range(draw.randint(3, MOST_FAULTS)):
        soon = draw.random() < SOON_SHARE
        at_s = at_s + draw.uniform(0, SOON_S) if soon else draw.uniform(0, LASTS_S + 0.5)
        faults.append(_fault(draw, victims, at_s))
    return Schedule(seed, seed % INPUTS, workers, sorted(faults))


def _fault(draw: Random, victims: list[str], at_s: float) -> Fault:
    kind = draw.choice(KINDS_OF_FAULTS)
    victim = draw.choice(MAY_REPEAT if kind == "repeat" else victims)
    return Fault(round(at_s, 3), kind, victim, round(draw.uniform(0, SESSION_S * 0.8), 3))
