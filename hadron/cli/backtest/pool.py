"""Trials on all cores."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context

import numpy as np

from hadron.backtest.search.space import Candidate
from hadron.backtest.search.trial import Trial, Trying

AT_ONCE = 20  # trials that a process takes at a time
# So few are tried sooner than processes are begun.
FEW = 40

# Bytes; of more than 32 MiB glibc learns nothing.
LARGE = 24 * 2**20

_trying: Trying | None = None


def tried(
    trying: Trying,
    candidates: Sequence[Candidate],
    *,
    jobs: int,
    show: Callable[[int, int], None],
) -> list[Trial]:
    """A trial of each, in their order, on so many processes; 0 is one for each core."""
    wanted = min(jobs or len(os.sched_getaffinity(0)), -(-len(candidates) // AT_ONCE))
    if wanted <= 1 or len(candidates) <= FEW:
        return _here(trying, candidates, show)
    parts = [candidates[n : n + AT_ONCE] for n in range(0, len(candidates), AT_ONCE)]
    done: dict[int, list[Trial]] = {}
    # Not forked: numpy's threads would not be there in the copy, but their locks would.
    workers = ProcessPoolExecutor(wanted, get_context("spawn"), _prepare, (trying,))
    with workers:
        asked = {workers.submit(_try, part): n for n, part in enumerate(parts)}
        for finished in as_completed(asked):
            done[asked[finished]] = finished.result()
            show(sum(map(len, done.values())), len(candidates))
    return [trial for n in range(len(parts)) for trial in done[n]]


def _here(
    trying: Trying, candidates: Sequence[Candidate], show: Callable[[int, int], None]
) -> list[Trial]:
    _keep_memory()
    trials = []
    for candidate in candidates:
        trials += trying.trials([candidate])
        show(len(trials), len(candidates))
    return trials


def _prepare(trying: Trying) -> None:
    global _trying
    _trying = trying
    _keep_memory()


def _keep_memory() -> None:
    """Make glibc keep what columns of bars were in, for the next ones.

    It learns by the largest that went how large things are that come and go. Until then each
    column of a year is given back and mapped anew, which took a third of a worker's time.
    """
    np.empty(LARGE, np.uint8)


def _try(candidates: Sequence[Candidate]) -> list[Trial]:
    assert _trying is not None
    return _trying.trials(candidates)
