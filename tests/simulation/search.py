"""Runs schedules, and says of the first that goes wrong what is wrong with it."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from types import SimpleNamespace
from typing import NamedTuple

import structlog
from faust.transport import consumer

from hadron.errors import HadronError
from tests.simulation.laws import broken, is_known
from tests.simulation.market import INPUTS
from tests.simulation.outcome import Outcome, differences, outcome
from tests.simulation.schedule import drawn, undisturbed
from tests.simulation.world import World, run


class Found(NamedTuple):
    """A run in which something went wrong."""

    seed: int
    problems: list[str]
    trace: list[str]


@contextmanager
def prepared() -> Iterator[None]:
    """With the outcomes of undisturbed runs, before a bug is planted; without logs.

    Also without Faust's calls of the garbage collector, which would cost most of a run.
    """
    logger, collector = structlog.get_config()["wrapper_class"], consumer.gc
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    consumer.gc = SimpleNamespace(collect=lambda: 0)
    for market in range(INPUTS):
        _expected(market)
    try:
        yield
    finally:
        structlog.configure(wrapper_class=logger)
        consumer.gc = collector


def tried(seed: int) -> tuple[World, list[str]]:
    """One run, and what is wrong with it: a broken law, or another outcome than undisturbed."""
    expected = _expected(drawn(seed).market)
    world = run(drawn(seed))
    try:
        return world, broken(world) or differences(outcome(world), expected)
    except HadronError as error:  # what is on the log cannot be read as it should
        return world, [f"{type(error).__name__}: {error}"]


def search(seeds: Iterable[int]) -> Found | None:
    """The first run that goes wrong otherwise than is known."""
    for seed in seeds:
        world, problems = tried(seed)
        if problems and not all(is_known(problem) for problem in problems):
            return Found(seed, problems, world.trace)
    return None


@cache
def _expected(market: int) -> Outcome:
    world = run(undisturbed(market))
    problems = broken(world)
    if problems:
        raise AssertionError(f"undisturbed market {market}: {problems}")
    return outcome(world)
