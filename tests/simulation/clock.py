"""An event loop whose time is virtual, on which processes can be killed and frozen."""

from __future__ import annotations

import asyncio
import heapq
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar, copy_context
from random import Random
from typing import Any

from tests.support import T0_NS

OWNER: ContextVar[Life | None] = ContextVar("owner", default=None)
DISK_S = (0.0005, 0.05)  # how long a call in another thread takes


class Stuck(Exception):
    """Nothing will ever happen again."""


class Life:
    """Of one process: what it has scheduled is dropped after its death, and waits while frozen."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.dead = False
        self.frozen_until = 0.0
        self.held: list[Any] = []

    def run(self, fun: Callable[..., Any], *args: Any) -> Any:
        """Call something whose tasks and timers belong to this process."""
        context = copy_context()
        context.run(OWNER.set, self)
        return context.run(fun, *args)


class Loop(asyncio.BaseEventLoop):
    """Runs what is due, in an order that depends on nothing but what was scheduled before."""

    def __init__(self, draw: Random) -> None:
        super().__init__()
        self.draw = draw
        self.now = 0.0
        self._begun: list[asyncio.Task[Any]] = []
        self._clock_resolution = 1e-6
        self.set_exception_handler(lambda *_: None)  # tasks of the dead stay pending for ever

    def time(self) -> float:
        """Seconds since the beginning of the world."""
        return self.now

    def create_task(self, coro: Any, **arguments: Any) -> Any:
        """It lives as long as the world, also where it is never run again."""
        task = super().create_task(coro, **arguments)
        self._begun.append(task)
        return task

    def end(self) -> None:
        """Close what is still open: that of the dead ends here, too."""
        for task in self._begun:
            task._log_destroy_pending = False  # type: ignore[attr-defined]
            with suppress(BaseException):  # of what it does at its end, nothing matters
                task.get_coro().close()
        self.close()

    def run_in_executor(  # type: ignore[override]
        self, _: Any, fun: Callable[..., Any], *args: Any
    ) -> Any:
        """The thread reads at one moment, some time from now."""
        done = self.create_future()

        def call() -> None:
            if done.cancelled():
                return
            try:
                done.set_result(fun(*args))
            except Exception as error:
                done.set_exception(error)

        self.call_later(self.draw.uniform(*DISK_S), call)
        return done

    def call_soon_threadsafe(  # type: ignore[override]
        self, callback: Any, *args: Any, context: Any = None
    ) -> Any:
        """There are no threads."""
        return self.call_soon(callback, *args, context=context)

    def _run_once(self) -> None:
        ready, scheduled = self._ready, self._scheduled  # type: ignore[attr-defined]
        if not ready:
            if not scheduled:
                raise Stuck
            self.now = max(self.now, scheduled[0].when())
        while scheduled and scheduled[0].when() <= self.now + self._clock_resolution:
            timer = heapq.heappop(scheduled)
            timer._scheduled = False
            ready.append(timer)
        for _ in range(len(ready)):
            handle = ready.popleft()
            owner = handle._context.get(OWNER)
            if handle._cancelled or (owner is not None and owner.dead):
                continue
            if owner is not None and owner.frozen_until > self.now:
                self._hold(owner, handle)
            else:
                handle._run()

    def _hold(self, owner: Life, handle: Any) -> None:
        if not owner.held:
            thaw = lambda: self._thaw(owner)  # noqa: E731
            self.call_at(owner.frozen_until, thaw, context=copy_context())
        owner.held.append(handle)

    def _thaw(self, owner: Life) -> None:
        held, owner.held = owner.held, []
        self._ready.extend(held)  # type: ignore[attr-defined]

    def _timer_handle_cancelled(self, _: Any) -> None:
        """Cancelled timers are passed over when they are due."""

    def _asyncgen_firstiter_hook(self, _: Any) -> None:
        """Generators of the dead are not closed by the living."""

    def _asyncgen_finalizer_hook(self, _: Any) -> None:
        """Generators of the dead are not closed by the living."""

    def _process_events(self, _: Any) -> None:
        """There are no sockets."""

    def _write_to_self(self) -> None:
        """There are no threads."""


@contextmanager
def virtual_time(loop: Loop) -> Iterator[None]:
    """All clocks of the process show the time of the loop."""
    names = ("monotonic", "perf_counter", "time", "time_ns", "monotonic_ns")
    real = {name: getattr(time, name) for name in names}
    shown: dict[str, Callable[[], float]] = {
        "monotonic": loop.time,
        "perf_counter": loop.time,
        "time": lambda: T0_NS / 1e9 + loop.now,
        "time_ns": lambda: T0_NS + int(loop.now * 1e9),
        "monotonic_ns": lambda: int(loop.now * 1e9),
    }
    for name, clock in shown.items():
        setattr(time, name, clock)
    try:
        yield
    finally:
        for name, clock in real.items():
            setattr(time, name, clock)
