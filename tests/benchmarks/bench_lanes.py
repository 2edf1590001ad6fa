"""FAST beside a saturated COLD lane: how long a FAST tick waits for its decision, in one engine.

A backlog of COLD ticks keeps the engine busy without a pause, while a FAST instrument trades at a
steady rate and its strategy decides at each trade. Then the same with no COLD at all.
Run: python -m tests.benchmarks.bench_lanes
"""

from __future__ import annotations

import argparse
import time
from threading import Event, Thread

from confluent_kafka import Consumer, TopicPartition

from connectors.kafka import groups
from connectors.kafka.connection import configuration
from connectors.kafka.log import KafkaLog
from hadron.partitions import partition_of
from hadron.topics import LIVE
from tests.benchmarks.measuring import append_ticks, quantiles, show
from tests.integration.platform import SHARDS, Platform, platform, until
from tests.support import a_trade, codec

FAST = "eq:fast"
START_S = 30.0  # for what Kafka's JVM learns
PAUSE_S = 2.0  # between the end of COLD and what counts as without
PRICES = ("100", "101")  # each on the other side of the average, so that each is decided on


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cold", type=int, default=1_500_000, help="ticks of the backlog")
    parser.add_argument("--rate", type=int, default=500, help="FAST ticks a second")
    parser.add_argument("--seconds", type=float, default=40, help="how long without COLD")
    asked = parser.parse_args()
    with platform(HADRON_CHECKPOINT_S="1", HADRON_SESSION_S="10") as alone:
        append_ticks(alone, asked.cold, lane="cold")
        alone.start("engine")
        until(lambda: _cold_left(alone) < asked.cold, "the engine takes COLD")
        stopping, waits = Event(), list[tuple[float, float]]()
        threads = [
            Thread(target=_trade, args=(alone, asked.rate, stopping)),
            Thread(target=_read, args=(alone, waits, stopping)),
        ]
        for thread in threads:
            thread.start()
        try:
            time.sleep(START_S)
            begun, left = time.monotonic(), _cold_left(alone)
            while _cold_left(alone) > 0:
                last = time.monotonic()
                time.sleep(0.5)
            # Then the same looking, so that it costs the same.
            while time.monotonic() < last + PAUSE_S + asked.seconds:
                _cold_left(alone)
                time.sleep(0.5)
        finally:
            stopping.set()
            for thread in threads:
                thread.join()
    beside = [wait for at, wait in waits if begun <= at < last]
    without = [wait for at, wait in waits if at >= last + PAUSE_S]
    found = {"beside": quantiles(beside), "without": quantiles(without)}
    show(
        {
            "fast_per_s": asked.rate,
            "cold_per_s": round(left / (last - begun)),
            "decisions": len(beside),
        }
        | {f"fast_ms_{name}_{q}": ms for name, cuts in found.items() for q, ms in cuts.items()}
        | {"p99_more_percent": round(100 * (found["beside"]["p99"] / found["without"]["p99"] - 1))}
    )


def _cold_left(alone: Platform) -> int:
    places = [("ticks.cold", partition) for partition in range(SHARDS)]
    done = groups.committed(alone.admin, LIVE.group("engine"))
    return sum(end - done.get(place, 0) for place, end in alone.log.ends(places).items())


def _trade(alone: Platform, rate: int, stopping: Event) -> None:
    log = KafkaLog(configuration(alone.settings), linger_ms=0)
    partition = partition_of(FAST, SHARDS)
    begun, number = time.monotonic(), 0
    while not stopping.is_set():
        number += 1
        now = time.time_ns()
        trade = a_trade(
            PRICES[number % 2],
            instrument=FAST,
            lane="fast",
            raw_offset=number,
            sequence=number,
            at_ns=now,
            seen_ns=now,
        )
        log.append("ticks.fast", partition, [(FAST, codec().encode(trade))])
        log.poll()
        time.sleep(max(0.0, begun + number / rate - time.monotonic()))
    log.close()


def _read(alone: Platform, waits: list[tuple[float, float]], stopping: Event) -> None:
    """When a decision on a FAST tick is read, and how many milliseconds after the tick."""
    consumer = Consumer({**configuration(alone.settings), "group.id": "bench"})
    consumer.assign([TopicPartition("decisions", partition, 0) for partition in range(SHARDS)])
    while not stopping.is_set():
        message = consumer.poll(0.1)
        now = time.time_ns()
        if message is None or message.error():
            continue
        fact = codec().decode(message.value())
        if fact.instrument == FAST:
            waits.append((time.monotonic(), (now - fact.seen_ns) / 1e6))
    consumer.close()


if __name__ == "__main__":
    main()
