"""The feed against a venue that fails: nothing lost or doubled, no step by hand."""

from __future__ import annotations

import asyncio

import msgspec
import structlog

from connectors.simulator.server import GARBAGE
from hadron import metrics
from hadron.venues.massive.protocol import Deadlines
from hadron.venues.protocol import UNREADABLE
from tests.integration.feeding import (
    DEADLINE_S,
    KEY,
    QUICK,
    a_feed,
    as_fast_as_possible,
    assert_recorded,
    events,
)


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
    assert bench.alarms.changes == [("massive", True), ("massive", False)]
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
    assert bench.alarms.changes == [("massive", True), ("massive", False)]


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
