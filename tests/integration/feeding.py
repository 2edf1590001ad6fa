"""A feed on a simulator with a log between them, for the tests of feeds."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from itertools import islice

import msgspec
from pydantic import SecretStr

from connectors.feeds import feed
from connectors.feeds.outside import Outside, Pace, Source
from connectors.memory import MemoryLog
from connectors.simulator.faults import faults
from connectors.simulator.server import Script, Simulator, listening
from connectors.telemetry.metrics import PrometheusTelemetry
from connectors.telemetry.tracing import NoTracer
from hadron import metrics
from hadron.market.facts import RawReceived
from hadron.reference.instruments import InstrumentIds
from hadron.simulation.market import market
from hadron.simulation.played import Played
from hadron.venues.massive.protocol import Deadlines, MassiveProtocol
from tests.alarms import Heard
from tests.support import codec

KEY = SecretStr("k-123")
SYMBOLS = ("AAPL", "MSFT", "IBM")
PARTITIONS = 4
DEADLINE_S = 30.0
# No pings of ours may meet a drop: what the client says to a closed socket resets it.
QUICK = Pace(
    first_delay_s=0.002, most_delay_s=0.05, fatal_delay_s=0.1, tick_s=0.02, ping_s=60, close_s=2
)


class Watched:
    """Keeps what a feed says of itself."""

    def __init__(self) -> None:
        self.states: list[bool] = []

    def beat(self) -> None: ...

    def lag(self, records: int) -> None: ...

    def ready(self, check: str, ok: bool, reason: str = "") -> None:
        self.states.append(ok)


class Bench:
    """A simulator, a feed on it, and the log between them and the test."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.log = MemoryLog()
        self.telemetry = PrometheusTelemetry()
        self.pulse = Watched()
        self.stopping = asyncio.Event()
        self.alarms = Heard()
        self.outside = Outside(
            self.log, codec(), self.telemetry, NoTracer(), self.pulse, self.alarms
        )

    def raw(self) -> list[RawReceived]:
        """All that is on the log, by partition."""
        places = [("raw.massive", partition) for partition in range(PARTITIONS)]
        return [
            codec().decode(record.value or b"")
            for (topic, partition), end in self.log.ends(places).items()
            for record in self.log.read(topic, partition, start=0, end=end)
        ]

    def count(self, name: str) -> float:
        """A metric of the feed."""
        return self.telemetry.registry.get_sample_value(name, {"venue": "massive"}) or 0.0

    async def until(self, seen: Callable[[], bool], what: str) -> None:
        """Wait for something, with a deadline."""
        deadline = time.monotonic() + DEADLINE_S
        while not seen():
            assert time.monotonic() < deadline, f"waited in vain for {what}"
            await asyncio.sleep(0.005)

    async def until_all_is_recorded(self) -> None:
        """Wait for the end of the market, and for its last event on the log."""
        await asyncio.wait_for(self.simulator.finished.wait(), DEADLINE_S)
        sent = sum(self.simulator.sent.values())
        await self.until(lambda: self.count(metrics.FEED_EVENTS) >= sent, f"{sent} events")


def events(number: int) -> list[Played]:
    """The first events of a generated market."""
    draw = random.Random(5).random
    return list(islice(market(SYMBOLS, draw, start_ms=1_700_000_000_000), number))


@asynccontextmanager
async def a_feed(
    played: Sequence[Played] | Iterator[Played],
    script: Script,
    *,
    pace: Pace = QUICK,
    codes: Sequence[str] = ("T", "Q"),
    deadlines: Deadlines | None = None,
) -> AsyncIterator[Bench]:
    """A feed that records a simulator, stopped cleanly at the end."""
    topics = [f"{code}.{symbol}" for symbol in SYMBOLS for code in codes]
    protocol = MassiveProtocol(KEY, topics, deadlines or Deadlines())
    bench = Bench(Simulator(iter(played), script))
    async with listening(bench.simulator) as url:
        source = Source("massive", url, protocol, InstrumentIds({}), PARTITIONS)
        running = asyncio.create_task(feed.run(source, bench.outside, bench.stopping, pace))
        try:
            yield bench
        finally:
            bench.stopping.set()
            await asyncio.wait_for(running, DEADLINE_S)


def as_fast_as_possible(text: str = "", **changes: object) -> Script:
    """Play without a pace, with faults."""
    script = Script(speed=0, key=KEY, faults=faults(text))
    return msgspec.structs.replace(script, **changes)


def assert_recorded(raw: Sequence[RawReceived], played: Sequence[Played]) -> None:
    """Every event is on the log once, in its order within its instrument, byte for byte."""
    for symbol in SYMBOLS:
        recorded = [fact.payload for fact in raw if fact.symbol == symbol]
        assert recorded == [event.element for event in played if event.symbol == symbol]
