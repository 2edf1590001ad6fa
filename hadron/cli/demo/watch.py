"""What a demo can see at one moment: metrics of every process, and what the database holds."""

from __future__ import annotations

import time
from collections.abc import Mapping
from decimal import Decimal
from http import HTTPStatus
from http.client import HTTPException
from typing import Any
from urllib.request import urlopen

import msgspec

from connectors.telemetry.reading import Reading, scraped
from connectors.timescale.querying import queries
from connectors.timescale.querying.answers import Decision, Holding
from hadron import metrics
from hadron.errors import HadronError

STREAMS = ("normalize", "engine", "desk", "portfolio")
SCRAPE_S = 1.0


class Stage(msgspec.Struct, frozen=True):
    """A process: how many records it has taken, and how many a second since the last look."""

    name: str
    total: int
    rate: float
    lag: int


class Latency(msgspec.Struct, frozen=True):
    """Quantiles in milliseconds; None before anything was measured."""

    p50: float | None
    p95: float | None
    p99: float | None


class Sight(msgspec.Struct, frozen=True):
    """One look at the platform."""

    at_s: float
    stages: list[Stage]
    lanes: dict[str, int]
    latency: dict[str, Latency]
    decisions: list[Decision]
    positions: list[Holding]
    processes: dict[str, bool]


class Watch:
    """Looks again and again, and works out rates between two looks."""

    def __init__(self, database: str) -> None:
        self._database = database
        self._before: dict[str, int] = {}
        self._before_s = time.monotonic()
        self._peak: dict[str, float] = {}
        self.readings: dict[str, Reading] = {}

    def look(self, ports: Mapping[str, int]) -> Sight:
        """Scrape the processes that answer on these ports and ask the database."""
        now_s = time.monotonic()
        fresh = {name: scrape(port) for name, port in ports.items()}
        self.readings.update({name: found for name, found in fresh.items() if found is not None})
        passed_s = max(now_s - self._before_s, 1e-3)
        totals = self.totals()
        stages = [self._stage(name, total, passed_s) for name, total in totals.items()]
        self._before, self._before_s = totals, now_s
        return Sight(
            at_s=now_s,
            stages=sorted(stages, key=lambda stage: _order(stage.name)),
            lanes=self._lanes(),
            latency=self.latency(),
            decisions=self._ask(queries.decisions, limit=8),
            positions=self._ask(queries.positions, limit=queries.LIMIT),
            processes={name: fresh.get(name) is not None for name in ports},
        )

    def latency(self) -> dict[str, Latency]:
        """Budget b, a hop of each stream, and budget c, frame to intent."""
        found = {
            f"b: hop through {name}": self._quantiles(name, metrics.HOP_SECONDS) for name in STREAMS
        }
        found["c: frame to intent"] = self._quantiles("desk", metrics.FRAME_TO_INTENT_SECONDS)
        return found

    def totals(self) -> dict[str, int]:
        """What each process has counted, since it was last started."""
        return {name: _total(name, reading) for name, reading in self.readings.items()}

    def peaks(self) -> dict[str, float]:
        """The highest rate of each stage that was seen."""
        return dict(self._peak)

    def _stage(self, name: str, total: int, passed_s: float) -> Stage:
        # A restarted process counts from nought again.
        rate = max(total - self._before.get(name, 0), 0) / passed_s
        self._peak[name] = max(rate, self._peak.get(name, 0.0))
        lag = int(self.readings[name].value(metrics.LAG_RECORDS))
        return Stage(name, total, rate, lag)

    def _lanes(self) -> dict[str, int]:
        reading = self.readings.get("normalize")
        by = reading.by(f"{metrics.FACTS_OUT}", "topic") if reading else {}
        return {lane: int(by.get(f"ticks.{lane}", 0)) for lane in ("fast", "warm", "cold")}

    def _quantiles(self, process: str, name: str) -> Latency:
        reading = self.readings.get(process)
        if reading is None:
            return Latency(None, None, None)
        values = [reading.quantile(name, q) for q in (0.5, 0.95, 0.99)]
        return Latency(*(None if value is None else round(value * 1000, 2) for value in values))

    def _ask(self, query: Any, limit: int) -> Any:
        try:
            return query(self._database, limit=limit)
        except HadronError:
            return []  # the view shows again when the database does


def profit(positions: list[Holding]) -> Decimal:
    """Realised and unrealised profit of all; a position without a mark counts what it realised."""
    zero = Decimal(0)
    return sum(((held.realised or zero) + (held.unrealised or zero) for held in positions), zero)


def scrape(port: int) -> Reading | None:
    """The metrics of the process that answers there, if one does."""
    try:
        with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=SCRAPE_S) as answer:
            return scraped(answer.read().decode())
    except (OSError, HTTPException, ValueError):
        return None


def ready(port: int) -> bool:
    """Whether the process that answers there says that it is ready."""
    try:
        with urlopen(f"http://127.0.0.1:{port}/ready", timeout=SCRAPE_S) as answer:
            return int(answer.status) == HTTPStatus.OK
    except (OSError, HTTPException):
        return False


def _total(name: str, reading: Reading) -> int:
    counted = {
        "simulator": metrics.SIMULATOR_EVENTS,
        "feed": metrics.FEED_EVENTS,
        "archive": metrics.ARCHIVE_ROWS,
        "latest": metrics.LATEST_WRITES,
        "gateway": metrics.ORDERS,
    }
    return int(reading.value(counted.get(name, metrics.RECORDS_IN)))


def _order(name: str) -> int:
    flow = ("simulator", "feed", "normalize", "engine", "desk", "gateway", "portfolio", "archive")
    return flow.index(name) if name in flow else len(flow)
