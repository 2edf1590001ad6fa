"""Plays a demo: stage, processes, market, live view, summary."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.live import Live

from connectors.timescale.querying import accounting
from hadron import metrics
from hadron.cli import opening, output
from hadron.cli.demo import drain, report
from hadron.cli.demo.market import Market
from hadron.cli.demo.stage import Stage, stage
from hadron.cli.demo.view import drawn
from hadron.cli.demo.watch import Sight, Watch, ready, scrape
from hadron.cli.environment import database_url, owner_url
from hadron.cli.exits import Exit
from hadron.cli.fleet import Fleet, Job
from hadron.topics import LIVE

LOOK_S = 1.0
UNSEEN_LOOK_S = 5.0  # where nobody looks on: each look takes time of every process
READY_S = 30.0
Show = Callable[[Sight, str], None]
PLATFORM = ("archive", "latest", "gateway", "portfolio", "desk", "engine", "normalize")


class Bounds(msgspec.Struct, frozen=True):
    """When the market ends; None: when the tape does."""

    seconds: float | None


class Interrupts:
    """Counts Ctrl-C, instead of being torn out of the middle of something."""

    def __init__(self) -> None:
        self.count = 0

    @contextmanager
    def counted(self) -> Iterator[None]:
        def seen(*_: Any) -> None:
            self.count += 1
            if self.count > 2:
                raise KeyboardInterrupt

        before = {number: signal.signal(number, seen) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


class Play:
    """One demo that runs."""

    def __init__(
        self,
        market: Market,
        bounds: Bounds,
        on: Stage,
        *,
        interrupts: Interrupts,
        show: Show | None,
    ) -> None:
        """`show` is given what is seen; None: nobody looks on."""
        self._market = market
        self._bounds = bounds
        self._on = on
        self._interrupts = interrupts
        self._show = show
        self._fleet = Fleet(on.environment, on.directory / "logs")
        self._watch = Watch(database_url(on.settings))
        self._begun_s = self._played_since_s = time.monotonic()
        self._look_due_s = self._begun_s
        self._first_decision_s: float | None = None

    def run(self) -> report.Report:
        """Start everything, play, drain, stop, count. Whatever happens, nothing is left running."""
        try:
            for process in PLATFORM:
                self._fleet.start(Job(process))
            if self._market.simulator:
                self._fleet.start(self._market.simulator)
            self._until(self._platform_ready, "starting the processes")
            self._fleet.start(self._market.feed)
            self._played_since_s = time.monotonic()
            self._until(self._market_over, "playing")
            self._fleet.stop("feed")
            whole = self._drained()
            flowed_s = time.monotonic() - self._played_since_s
            self._look("counting")
            self._fleet.stop_all(but="archive")
            whole = self._drained() and whole  # what the others told of themselves at their end
        finally:
            self._fleet.stop_all()
        return self._counted(flowed_s, drained=whole)

    def _until(self, over: Callable[[], bool], status: str) -> None:
        while not over() and not self._interrupts.count:
            self._attend(status)
            time.sleep(LOOK_S)

    def _attend(self, status: str) -> None:
        for name in self._fleet.tend():
            output.say(f"{name} died and was started again")
        if time.monotonic() >= self._look_due_s:
            self._look(status)

    def _look(self, status: str) -> None:
        sight = self._watch.look(self._fleet.ports())
        if sight.decisions and self._first_decision_s is None:
            self._first_decision_s = round(time.monotonic() - self._begun_s, 2)
        if self._show is not None:
            self._show(sight, status)
        elif self._first_decision_s is not None:
            self._look_due_s = time.monotonic() + UNSEEN_LOOK_S

    def _platform_ready(self) -> bool:
        ports = self._fleet.ports()
        late = time.monotonic() - self._begun_s > READY_S
        return late or all(name in ports and ready(ports[name]) for name in PLATFORM)

    def _market_over(self) -> bool:
        seconds = self._bounds.seconds
        if seconds is not None and time.monotonic() - self._played_since_s >= seconds:
            return True
        port = self._fleet.ports().get("simulator")
        simulator = scrape(port) if port is not None else None
        return simulator is not None and simulator.value(metrics.SIMULATOR_FINISHED) > 0

    def _drained(self) -> bool:
        settings, log = self._on.settings, opening.fact_log(self._on.settings)
        admin, partitions = opening.admin(settings), settings.num_shards
        url = database_url(settings)

        def look() -> int:
            self._attend("draining")
            return drain.waiting(
                admin,
                log,
                partitions=partitions,
                names=LIVE,
                archived=accounting.offsets(url),
            )

        return drain.drained(look, hurried=lambda: self._interrupts.count > 1)

    def _counted(self, flowed_s: float, *, drained: bool) -> report.Report:
        totals = {name: total for name, total in self._watch.totals().items() if total}
        return report.made(
            database_url(self._on.settings),
            opening.fact_log(self._on.settings),
            owner=owner_url(self._on.settings),
            partitions=self._on.settings.num_shards,
            venue=self._market.venue,
            market=self._market.label,
            simulated=self._market.simulator is not None,
            elapsed_s=round(flowed_s, 2),
            first_decision_s=self._first_decision_s,
            rates={name: round(total / flowed_s, 1) for name, total in totals.items()},
            peaks={name: round(rate, 1) for name, rate in self._watch.peaks().items()},
            latency_ms=self._watch.latency(),
            restarts={one.name: one.restarts for one in self._fleet.running.values()},
            drained=drained,
        )


def play(
    market: Market,
    bounds: Bounds,
    *,
    environ: Mapping[str, str],
    directory: Path | None,
    as_json: bool,
) -> Exit:
    """Play a market. Return OK only where the accounting holds."""
    interrupts, begun_s = Interrupts(), time.monotonic()
    console = Console(stderr=as_json)
    with interrupts.counted(), stage(environ, directory, output.say) as on:
        if interrupts.count:
            return Exit.INTERRUPTED
        with _screen(console, market, begun_s, quiet=as_json) as show:
            result = Play(market, bounds, on, interrupts=interrupts, show=show).run()
    if as_json:
        output.show(result, as_json=True)
    else:
        report.printed(result, console)
    return Exit.OK if result.holds else Exit.CHECK_FAILED


@contextmanager
def _screen(
    console: Console, market: Market, begun_s: float, *, quiet: bool
) -> Iterator[Show | None]:
    if quiet:
        yield None
        return
    with Live(console=console, refresh_per_second=4, screen=console.is_terminal) as live:

        def show(sight: Sight, status: str) -> None:
            elapsed_s = time.monotonic() - begun_s
            live.update(drawn(sight, market=market.label, status=status, elapsed_s=elapsed_s))

        yield show
