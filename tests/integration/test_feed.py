"""The feed against the simulator over a real socket: faults, and nothing lost or doubled."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from itertools import islice
from typing import Any

import msgspec
import pytest
import structlog
from pydantic import SecretStr
from websockets.asyncio.server import ServerConnection
from websockets.asyncio.server import serve as websocket_server

from connectors.feeds import feed
from connectors.feeds.outside import Outside, Pace, Source
from connectors.memory import MemoryLog
from connectors.simulator.faults import faults
from connectors.simulator.server import GARBAGE, Script, Simulator, listening, serve
from connectors.telemetry.metrics import PrometheusTelemetry
from connectors.telemetry.tracing import NoTracer
from hadron import metrics
from hadron.errors import TransientError
from hadron.market.facts import RawReceived
from hadron.partitions import partition_of
from hadron.reference.instruments import InstrumentIds
from hadron.simulation.market import market
from hadron.simulation.played import Played
from hadron.venues.coinbase.protocol import CoinbaseProtocol
from hadron.venues.massive.protocol import Deadlines, MassiveProtocol
from hadron.venues.protocol import UNREADABLE
from tests.support import codec
from tests.unit.venues.samples import sample

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
        self.outside = Outside(self.log, codec(), self.telemetry, NoTracer(), self.pulse)

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


async def test_every_event_is_recorded_once_with_its_place() -> None:
    played = events(3000)

    async with a_feed(played, as_fast_as_possible()) as bench:
        await bench.until_all_is_recorded()
        raw = bench.raw()

    assert_recorded(raw, played)
    assert len({(fact.connection, fact.frame, fact.index) for fact in raw}) == len(raw)
    assert {fact.instrument for fact in raw} == {f"eq:{symbol}" for symbol in SYMBOLS}
    for place in range(PARTITIONS):
        for record in bench.log.read("raw.massive", place, start=0, end=10_000):
            fact = codec().decode(record.value or b"")
            assert record.key == fact.instrument.encode()
            assert partition_of(fact.instrument, PARTITIONS) == place
            assert record.timestamp_ms == fact.seen_ns // 1_000_000


async def test_twenty_drops_while_data_flows_lose_and_double_nothing() -> None:
    played = events(4000)
    drops = ",".join(f"drop@{at}" for at in range(100, 4000, 195))

    async with a_feed(played, as_fast_as_possible(drops)) as bench:
        await bench.until_all_is_recorded()
        raw = bench.raw()

    assert bench.simulator.connections == 21
    assert_recorded(raw, played)
    connections = sorted({fact.connection for fact in raw})
    assert connections == list(range(connections[0], connections[0] + 21))


async def test_twenty_hangups_in_a_row_make_delays_grow_up_to_the_cap() -> None:
    hangups = ",".join(f"hangup@{number}" for number in range(1, 21))

    with structlog.testing.capture_logs() as logs:
        async with a_feed(events(50), as_fast_as_possible(hangups)) as bench:
            await bench.until_all_is_recorded()

    delays = [entry["retry_s"] for entry in logs if entry["event"] == "disconnected"]
    assert len(delays) == 20
    caps = [min(QUICK.first_delay_s * 2**n, QUICK.most_delay_s) for n in range(20)]
    assert all(0 <= delay <= cap for delay, cap in zip(delays, caps, strict=True))
    assert max(delays[5:]) > caps[2]
    assert bench.simulator.connections == 21


async def test_silence_is_noticed_and_the_play_goes_on_elsewhere() -> None:
    played = events(1000)
    pace = msgspec.structs.replace(QUICK, ping_s=0.05)
    script = as_fast_as_possible("silence@400:20")

    async with a_feed(played, script, pace=pace, deadlines=Deadlines(stale_s=0.4)) as bench:
        await bench.until_all_is_recorded()

    assert bench.count(metrics.FEED_STALE) == 1
    assert bench.simulator.connections == 2
    assert_recorded(bench.raw(), played)


async def test_a_quiet_market_that_answers_pings_is_not_stale() -> None:
    pace = msgspec.structs.replace(QUICK, ping_s=0.05)
    quiet = [events(1)[0], events(1)[0]._replace(at_ms=1_700_000_001_500)]
    script = msgspec.structs.replace(as_fast_as_possible(), speed=1.0)

    async with a_feed(quiet, script, pace=pace, deadlines=Deadlines(stale_s=0.4)) as bench:
        await bench.until_all_is_recorded()

    assert bench.count(metrics.FEED_STALE) == 0
    assert bench.simulator.connections == 1


async def test_a_refused_key_is_tried_again_slowly_with_an_error() -> None:
    script = as_fast_as_possible("bad-auth@1,bad-auth@2")

    with structlog.testing.capture_logs() as logs:
        async with a_feed(events(50), script) as bench:
            await bench.until_all_is_recorded()

    delays = [entry["retry_s"] for entry in logs if entry["event"] == "disconnected"]
    assert delays == [QUICK.fatal_delay_s] * 2
    assert bench.count(metrics.FEED_FATAL) == 2
    assert [entry["log_level"] for entry in logs if entry["event"] == "venue refused us"] == [
        "error",
        "error",
    ]
    assert KEY.get_secret_value() not in repr(logs)


async def test_a_frame_of_garbage_is_recorded_and_harms_nothing_else() -> None:
    played = events(500)

    async with a_feed(played, as_fast_as_possible("garbage@100")) as bench:
        await bench.until(lambda: bench.count(metrics.FEED_EVENTS) == 501, "all and the garbage")
        raw = bench.raw()

    assert [fact.payload for fact in raw if fact.symbol == UNREADABLE] == [GARBAGE]
    assert bench.count(metrics.FEED_UNREADABLE) == 1
    assert bench.simulator.connections == 1
    assert_recorded(raw, played)


async def test_a_topic_that_is_not_authorized_does_not_break_the_connection() -> None:
    played = events(300)
    script = as_fast_as_possible(unentitled=["NOI"])
    codes, deadlines = ("T", "Q", "NOI"), Deadlines(ack_s=0.1)

    async with a_feed(played, script, codes=codes, deadlines=deadlines) as bench:
        await bench.until_all_is_recorded()
        await bench.until(lambda: bench.count(metrics.FEED_REFUSED) == 3, "three refusals")

    assert bench.simulator.connections == 1
    assert_recorded(bench.raw(), played)


async def test_a_slow_log_slows_the_reading_and_loses_nothing() -> None:
    played = events(5000)
    pace = msgspec.structs.replace(QUICK, in_flight=10)

    async with a_feed(played, as_fast_as_possible(), pace=pace) as bench:
        await bench.until_all_is_recorded()

    assert_recorded(bench.raw(), played)


class RefusingLog(MemoryLog):
    """A log that takes nothing."""

    def append(self, *_: Any, **__: Any) -> None:
        raise TransientError("the log is full")


async def test_a_log_that_refuses_records_stops_the_feed() -> None:
    bench = Bench(Simulator(iter(events(10)), as_fast_as_possible()))
    outside = msgspec.structs.replace(bench.outside, log=RefusingLog())
    protocol = MassiveProtocol(KEY, ["T.AAPL", "Q.AAPL"])

    async with listening(bench.simulator) as url:
        source = Source("massive", url, protocol, InstrumentIds({}), PARTITIONS)

        with pytest.raises(TransientError, match="full"):
            await asyncio.wait_for(feed.run(source, outside, bench.stopping, QUICK), DEADLINE_S)


async def test_coinbase_reconnects_after_a_gap_and_records_what_came() -> None:
    bench = Bench(Simulator(iter(()), as_fast_as_possible()))
    frames = [sample(f"coinbase/{name}") for name in ("subscriptions", "trades_snapshot")]
    gap = sample("coinbase/trades_update")
    connections = 0

    async def venue(socket: ServerConnection) -> None:
        nonlocal connections
        connections += 1
        asked = [await socket.recv() for _ in range(3)]
        assert all("product_ids" in str(one) for one in asked)
        for frame in (*frames, gap):
            await socket.send(frame, text=True)
        await socket.wait_closed()

    async with websocket_server(venue, "127.0.0.1", 0) as server:
        url = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"
        protocol = CoinbaseProtocol(["BTC-USD"])
        source = Source("coinbase", url, protocol, InstrumentIds({}), 1)
        running = asyncio.create_task(feed.run(source, bench.outside, bench.stopping, QUICK))
        await bench.until(lambda: connections == 3, "three connections")
        bench.stopping.set()
        await asyncio.wait_for(running, DEADLINE_S)

    raw = [
        codec().decode(r.value or b"") for r in bench.log.read("raw.coinbase", 0, start=0, end=9)
    ]
    ids = [msgspec.json.decode(fact.payload)["trade_id"] for fact in raw]
    assert ids[:4] == ["1", "2", "3", "995098700"]
    assert len({fact.connection for fact in raw if fact.payload in gap}) > 1
    assert {fact.instrument for fact in raw} == {"crypto:BTC-USD"}


async def test_an_eviction_is_counted_and_waited_out() -> None:
    with structlog.testing.capture_logs() as logs:
        async with a_feed(events(200), as_fast_as_possible("evict@100")) as bench:
            await bench.until(lambda: bench.count(metrics.FEED_EVICTED) == 1, "the eviction")
            await bench.until(
                lambda: any(entry["event"] == "disconnected" for entry in logs), "the delay"
            )

    [delay] = [entry["retry_s"] for entry in logs if entry["event"] == "disconnected"]
    assert delay >= 60
    assert bench.simulator.connections == 1


async def test_a_stop_in_the_middle_records_all_that_was_sent() -> None:
    played = events(20_000)

    async with a_feed(played, as_fast_as_possible()) as bench:
        await bench.until(lambda: bench.count(metrics.FEED_EVENTS) > 1000, "the first events")
    sent = dict(bench.simulator.sent)

    raw = bench.raw()
    recorded = {symbol: sum(fact.symbol == symbol for fact in raw) for symbol in SYMBOLS}
    assert recorded == sent
    assert bench.pulse.states[-1] is False


async def test_without_resume_a_drop_loses_what_falls_into_it() -> None:
    played = events(2000)

    async with a_feed(played, as_fast_as_possible("drop@500", resume=False)) as bench:
        await asyncio.wait_for(bench.simulator.finished.wait(), DEADLINE_S)
        await bench.until(
            lambda: any(fact.payload == played[-1].element for fact in bench.raw()), "the last"
        )
        raw = bench.raw()

    payloads = [fact.payload for fact in raw]
    assert len(payloads) < len(played)
    assert len(set(payloads)) == len(payloads)


async def test_a_venue_that_is_not_there_yet_is_met_when_it_comes() -> None:
    simulator = Simulator(iter(events(100)), as_fast_as_possible())
    bench = Bench(simulator)
    async with listening(Simulator(iter(()), as_fast_as_possible())) as url:
        port = int(url.rpartition(":")[2])
    protocol = MassiveProtocol(KEY, [f"{code}.{s}" for s in SYMBOLS for code in "TQ"])
    source = Source("massive", url, protocol, InstrumentIds({}), PARTITIONS)
    urls: list[str] = []

    with structlog.testing.capture_logs() as logs:
        running = asyncio.create_task(feed.run(source, bench.outside, bench.stopping, QUICK))
        await bench.until(lambda: len(logs) > 3, "some vain attempts")
        serving = asyncio.create_task(serve(simulator, bench.stopping, urls.append, port=port))
        await bench.until_all_is_recorded()
        bench.stopping.set()
        await asyncio.wait_for(asyncio.gather(running, serving), DEADLINE_S)

    assert urls == [url]
    assert_recorded(bench.raw(), events(100))
