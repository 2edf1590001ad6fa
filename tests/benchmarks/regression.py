"""Which hot paths cost more than a baseline allows: only numbers, so that it can be tested."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec


class Cost(msgspec.Struct, frozen=True):
    """What one run of a path takes.

    `ratio` is its CPU time, in times of the calibration that runs beside it. `instructions` are
    those of Python's bytecode: no machine and no neighbour changes them, but the version does.
    """

    ratio: float
    instructions: int


class Baseline(msgspec.Struct, frozen=True):
    """What the paths took when somebody accepted it; `python` is as in 3.11."""

    commit: str
    machine: str
    python: str
    times_ratio: float  # how many times as much is allowed
    times_instructions: float
    paths: Mapping[str, Cost]


Measure = Callable[[Sequence[str]], Mapping[str, float]]


def settled(
    baseline: Baseline, measure: Measure, names: Sequence[str], *, attempts: int
) -> dict[str, float]:
    """The ratio of each path, the lowest of so many attempts at most.

    Only those that took too long are measured again. Neighbours on the machine are gone the next
    time, or the one after; code that became slower is not.
    """
    found = dict(measure(names))
    for _ in range(attempts - 1):
        slow = [name for name in names if found[name] > _allowed_ratio(baseline, name)]
        if not slow:
            break
        found |= {name: min(found[name], ratio) for name, ratio in measure(slow).items()}
    return found


def breaches(baseline: Baseline, found: Mapping[str, Cost], *, python: str) -> list[str]:
    """A sentence for each path that costs more than is allowed, or of which nothing is known.

    Instructions are compared only where the version of Python is that of the baseline.
    """
    said = []
    for name, cost in found.items():
        known = baseline.paths.get(name)
        if known is None:
            said.append(f"{name}: the baseline does not know it; write it with --update")
            continue
        if cost.ratio > (allowed := _allowed_ratio(baseline, name)):
            said.append(
                f"{name}: its CPU time is {cost.ratio:.3f} of the calibration's;"
                f" {allowed:.3f} is allowed, {known.ratio:.3f} was the baseline:"
                f" {cost.ratio / known.ratio:.2f} times as slow"
            )
        most = known.instructions * baseline.times_instructions
        if python == baseline.python and cost.instructions > most:
            said.append(
                f"{name}: a run takes {cost.instructions:,} instructions; {int(most):,} are"
                f" allowed, {known.instructions:,} was the baseline:"
                f" {cost.instructions / known.instructions:.2f} times as many"
            )
    return said


def _allowed_ratio(baseline: Baseline, name: str) -> float:
    known = baseline.paths.get(name)
    return known.ratio * baseline.times_ratio if known else float("inf")
