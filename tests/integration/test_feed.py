"""The feed over a real socket: all is recorded, once, with its place."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest
import structlog
from websockets.asyncio.server import ServerConnection
from websockets.asyncio.server import serve as websocket_server

from connectors.feeds import feed
from connectors.feeds.outside import Source
from connectors.memory import MemoryLog
from connectors.simulator.server import Simulator, listening, serve
from hadron import metrics
from hadron.errors import TransientError
from hadron.partitions import partition_of
from hadron.reference.instruments import InstrumentIds
from hadron.venues.coinbase.protocol import CoinbaseProtocol
from hadron.venues.massive.protocol import MassiveProtocol
from tests.integration.feeding import (
    DEADLINE_S,
    KEY,
    PARTITIONS,
    QUICK,
    SYMBOLS,
    Bench,
    a_feed,
    as_fast_as_possible,
    assert_recorded,
    events,
)
from tests.support import codec
from tests.unit.venues.samples import sample


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
        await bench.until(lambda: connections >= 3, "three connections")
        bench.stopping.set()
        await asyncio.wait_for(running, DEADLINE_S)

    raw = [
        codec().decode(r.value or b"") for r in bench.log.read("raw.coinbase", 0, start=0, end=9)
    ]
    ids = [msgspec.json.decode(fact.payload)["trade_id"] for fact in raw]
    assert ids[:4] == ["1", "2", "3", "995098700"]
    assert len({fact.connection for fact in raw if fact.payload in gap}) > 1
    assert {fact.instrument for fact in raw} == {"crypto:BTC-USD"}


async def test_a_stop_in_the_middle_records_all_that_was_sent() -> None:
    played = events(20_000)

    async with a_feed(played, as_fast_as_possible()) as bench:
        await bench.until(lambda: bench.count(metrics.FEED_EVENTS) > 1000, "the first events")
    sent = dict(bench.simulator.sent)

    raw = bench.raw()
    recorded = {symbol: sum(fact.symbol == symbol for fact in raw) for symbol in SYMBOLS}
    assert recorded == sent
    assert bench.pulse.states[-1] is False


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
