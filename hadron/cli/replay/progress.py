"""How far a replay is: bars on a terminal, else a line now and then on stderr."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from hadron.cli.output import say

LINE_EVERY_S = 5.0

# Tells a stage, how much of it is done, and how much there is.
Show = Callable[[str, int, int], None]


@contextmanager
def shown(*, as_json: bool, state: Callable[[], str] = str) -> Iterator[Show]:
    """Show progress while inside, on a terminal with the `state`. Nothing of it goes to stdout."""
    console = Console(stderr=True)
    if as_json or not console.is_terminal:
        yield _lines()
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        _State(state),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        tasks = {}

        def show(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = progress.add_task(stage, total=total)
            progress.update(tasks[stage], completed=done, total=total)

        yield show


class _State(ProgressColumn):
    def __init__(self, state: Callable[[], str]) -> None:
        super().__init__()
        self._state = state

    def render(self, task: Task) -> Text:
        return Text(self._state())


def _lines() -> Show:
    said_s: dict[str, float] = {}

    def show(stage: str, done: int, total: int) -> None:
        now_s = time.monotonic()
        if done >= total or now_s - said_s.get(stage, -LINE_EVERY_S) >= LINE_EVERY_S:
            say(f"{stage}: {done:,} of {total:,}")
            said_s[stage] = now_s

    return show
