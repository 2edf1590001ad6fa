"""The whole platform under load, from a venue's socket to the rows: none lost, soon taken."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice

import msgspec

from connectors.simulator.server import Script, Simulator, listening
from connectors.timescale.querying import accounting
from hadron import topics
from hadron.cli.demo.drain import waiting
from hadron.flow import FLOW
from hadron.simulation.market import market
from hadron.simulation.played import Played
from hadron.topics import LIVE
from tests.integration.platform import SHARDS, Platform, until
from tests.soak.trials import Figures

SYMBOLS = tuple(f"S{n}" for n in range(16))
LEAD, LEAD_PER_S = 1_000, 100  # events before the load: all is connected and warm when it comes
LOOK_S = 0.5


class Load(msgspec.Struct, frozen=True):
    """So many events a second, and how long after the last one all must be taken and stored."""

    per_s: int
    seconds: float
    drained_s: float

    @property
    def events(self) -> int:
        return round(self.per_s * self.seconds)


class Clocked:
    """Events, and when the load among them began and ended."""

    def __init__(self, load: Load, chance: random.Random) -> None:
        self.load, self._chance = load, chance
        self.begun_s = self.ended_s = 0.0

    def __iter__(self) -> Iterator[Played]:
        start_ms = int(time.time() * 1000)
        for event in self._market(start_ms, LEAD_PER_S, LEAD):
            start_ms = event.at_ms
            yield event
        self.begun_s = time.monotonic()
        yield from self._market(start_ms + 1, self.load.per_s, self.load.events)
        self.ended_s = time.monotonic()

    def _market(self, start_ms: int, per_s: float, count: int) -> Iterator[Played]:
        draw = self._chance.random
        return islice(market(SYMBOLS, draw, start_ms=start_ms, events_per_s=per_s), count)


def loaded(alone: Platform, load: Load, chance: random.Random) -> Figures:
    """Play a load to a feed that has every process behind it."""
    played = Clocked(load, chance)
    with _playing(iter(played)) as (simulator, url):
        alone.environment |= {
            "HADRON_MASSIVE_URL": url,
            "HADRON_MASSIVE_KEY": "simulated",
            "HADRON_SYMBOLS": ",".join(SYMBOLS),
        }
        for process in FLOW:
            alone.start(process)
        until(lambda: alone.left(("normalize", "engine", "desk")) == 0, "the platform is up")
        feed = alone.start("feed")
        found = _watched(alone, simulator, played)
        feed.terminate()
        feed.wait(30)
    until(alone.archived, "the archive has what the feed said at its end")
    alone.stop_all()
    found |= _whole(alone, sum(simulator.sent.values()))
    assert found["events"] == LEAD + load.events, found
    assert found["drained_s"] <= load.drained_s, f"{found}; wanted {load.drained_s:g} s at most"
    return {"offered_per_s": load.per_s, **found}


@contextmanager
def _playing(events: Iterator[Played]) -> Iterator[tuple[Simulator, str]]:
    """A venue on a loop of its own, and its URL."""
    simulator = Simulator(events, Script())
    loop, urls, stop = asyncio.new_event_loop(), list[str](), asyncio.Event()
    ready = threading.Event()

    async def play() -> None:
        async with listening(simulator) as url:
            urls.append(url)
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(play(),))
    thread.start()
    try:
        assert ready.wait(30), "the simulator does not listen"
        yield simulator, f"{urls[0]}/stocks"
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(30)
        loop.close()


def _watched(alone: Platform, simulator: Simulator, played: Clocked) -> Figures:
    """How fast it came, how much waited, and how long until nothing did."""
    until(lambda: played.begun_s > 0, "the load begins")
    load = played.load
    most, give_up_s = 0, time.monotonic() + 3 * load.seconds + 300
    while (left := _waiting(alone, simulator)) or not played.ended_s:
        most = max(most, left)
        assert time.monotonic() < give_up_s, f"never drained: {left} records wait"
        time.sleep(LOOK_S)
    return {
        "sent_per_s": round(load.events / (played.ended_s - played.begun_s)),
        "most_waiting": most,
        "drained_s": round(time.monotonic() - played.ended_s, 1),
    }


def _waiting(alone: Platform, simulator: Simulator) -> int:
    """Events not on the log yet, and records that some process has not taken and committed."""
    assert alone.settings.database is not None
    # Asked for first: what is sent meanwhile is not missed.
    sent, raw = sum(simulator.sent.values()), [("raw.massive", each) for each in range(SHARDS)]
    under_way = max(0, sent - sum(alone.log.ends(raw).values()))
    archived = accounting.offsets(alone.settings.database.get_secret_value())
    return under_way + waiting(
        alone.admin, alone.log, partitions=SHARDS, names=LIVE, archived=archived
    )


def _whole(alone: Platform, sent: int) -> Figures:
    """Each event sent is one tick, each record one row, and each decision has one end."""
    assert alone.settings.database_read is not None
    database = alone.settings.database_read.get_secret_value()
    stored = {topic.name: topic for topic in topics.sink_topics()}
    found = accounting.accounts(database, alone.log, stored, partitions=SHARDS)
    produced = {one.topic: one.produced for one in found}
    ends = accounting.endings(database)

    assert [one for one in found if not one.holds] == []
    assert produced["raw.massive"] == sent
    assert sum(produced[topic.name] for topic in topics.TICKS.values()) == sent
    assert accounting.ticks_named_twice(database) == 0
    assert ends.holds, ends
    return {"events": sent, "decisions": ends.decisions}
