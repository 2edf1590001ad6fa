"""Which versions of strategies a run had: those that lead to its own hash."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from hashlib import sha256
from itertools import islice, product

import msgspec

from hadron.audit.facts import StateHashed
from hadron.cli.diff.runs import Hashed, Interval, Run
from hadron.cli.diff.stepping import Make, Step, Stepping
from hadron.strategy.engine import Engine
from hadron.strategy.facts import StrategyDeployed
from hadron.strategy.registry import KINDS
from hadron.wiring.loading import code_in, loaded
from hadron.wiring.strategies import installed

MOST_TRIED = 16  # combinations of versions that live may have had

Chosen = Mapping[str, StrategyDeployed]  # by kind


class Stepped(msgspec.Struct, frozen=True):
    """An interval as a run took it."""

    chosen: Chosen
    make: Make
    steps: list[Step]


def stepped(run: Run, hashes: Hashed, interval: Interval, stepping: Stepping) -> Stepped | None:
    """Step an interval with the newest versions of a run that lead to its hash at the end.

    None if none does. Where the run has no hash there, the newest of all are taken.
    """
    begin, end = hashes.get(interval.begin or 0), hashes.get(interval.end)
    for chosen in islice(_choices(run), MOST_TRIED):
        make = _maker(chosen)
        steps = list(stepping.steps(make))
        if end is None or _leads_to(end, begin, steps):
            return Stepped(chosen, make, steps)
    return None


def _leads_to(end: StateHashed, begin: StateHashed | None, steps: list[Step]) -> bool:
    if not steps or steps[-1][1] != end.state:
        return False
    if end.since != (begin.since if begin is not None else 0):
        return True  # the chain of its outputs began anew within
    outputs = begin.outputs if begin is not None else bytes(32)
    for _, _, decided in steps:
        for one in decided:
            outputs = sha256(outputs + one).digest()
    return outputs == end.outputs


def _choices(run: Run) -> Iterator[Chosen]:
    """Combinations of the codes that each kind had, newest first."""
    by_kind: dict[str, list[StrategyDeployed]] = {}
    for made_of in reversed(run.deployed()):
        known = by_kind.setdefault(made_of.kind, [])
        if all(code_in(one) != code_in(made_of) for one in known):
            known.append(made_of)
    for combination in product(*by_kind.values()):
        yield dict(zip(by_kind, combination, strict=True))


def _maker(chosen: Chosen) -> Make:
    kinds = {**KINDS, **{kind: loaded(made_of) for kind, made_of in chosen.items()}}
    codes = {**installed(), **{kind: code_in(made_of) for kind, made_of in chosen.items()}}
    return partial(Engine, kinds, codes)
