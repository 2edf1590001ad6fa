"""FAST beside a saturated COLD lane: how long a FAST tick waits for its decision, in one engine.

A FAST instrument trades at a steady rate and its strategy decides at each trade. Beside it the
engine is given backlogs of COLD, with as much time without any after each: what changes on the
machine meanwhile changes both.
Run: python -m tests.benchmarks.bench_lanes
"""

from __future__ import annotations

import argparse
import time
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from confluent_kafka import Consumer, TopicPartition

from connectors.kafka import groups
from connectors.kafka.connection import configuration
from connectors.kafka.log import KafkaLog
from hadron.partitions import partition_of
from hadron.topics import LIVE
from tests.benchmarks.measuring import Batch, append, encoded_ticks
from tests.benchmarks.showing import quantiles, show
from tests.integration.platform import SHARDS, Platform, platform
from tests.support import a_trade, codec

FAST = "eq:fast"
START_S = 30.0  # for what Kafka's JVM learns
PAUSE_S = 2.0  # at each change, which offsets that are committed each second show late
PRICES = ("100", "101")  # each on the other side of the average, so that each is decided on

Waits = list[tuple[float, float]]
Span = tuple[float, float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=12, help="backlogs of COLD, one a round")
    parser.add_argument("--cold", type=int, default=200_000, help="ticks of a backlog")
    parser.add_argument("--rate", type=int, default=500, help="FAST ticks a second")
    asked = parser.parse_args()
    backlogs = [
        encoded_ticks(range(n * asked.cold, (n + 1) * asked.cold), lane="cold")
        for n in range(asked.rounds + 1)
    ]
    with platform(HADRON_CHECKPOINT_S="1", HADRON_SESSION_S="10") as alone:
        alone.start("engine")
        with _trading(alone, asked.rate) as waits:
            append(alone, "ticks.cold", backlogs.pop())  # what it learns at the first is not shown
            time.sleep(START_S)
            spans = [_round(alone, backlogs.pop()) for _ in range(asked.rounds)]
    waits.sort()
    both = [(_between(waits, *span), _between(waits, *rest)) for span, rest in spans]
    beside = quantiles([wait for one, _ in both for wait in one])
    without = quantiles([wait for _, one in both for wait in one])
    took_s = sum(end - begun + PAUSE_S for (begun, end), _ in spans)
    show(
        {
            "fast_per_s": asked.rate,
            "cold_per_s": round(asked.rounds * asked.cold / took_s),
            "decisions": sum(len(one) for one, _ in both),
        }
        | {f"fast_ms_beside_{q}": ms for q, ms in beside.items()}
        | {f"fast_ms_without_{q}": ms for q, ms in without.items()}
        | {"p99_more_percent": round(100 * (beside["p99"] / without["p99"] - 1))}
    )


def _round(alone: Platform, backlog: dict[int, Batch]) -> tuple[Span, Span]:
    """Give it a backlog; when it was at work on it, and a time as long in which it was not."""
    append(alone, "ticks.cold", backlog)
    begun = time.monotonic() + PAUSE_S
    while _cold_left(alone) > 0:
        last = time.monotonic()
        time.sleep(0.5)
    # Its last second may have been without.
    beside = (begun, last - 1.0)
    rest = last + PAUSE_S
    while time.monotonic() < rest + beside[1] - beside[0]:
        _cold_left(alone)  # the same looking, so that it costs the same
        time.sleep(0.5)
    return beside, (rest, time.monotonic())


def _between(waits: Waits, begun: float, end: float) -> list[float]:
    places = bisect_left(waits, (begun,)), bisect_left(waits, (end,))
    return [wait for _, wait in waits[slice(*places)]]


@contextmanager
def _trading(alone: Platform, rate: int) -> Iterator[Waits]:
    """Trade, and note when each decision was read, and how many milliseconds after its tick."""
    stopping, waits = Event(), Waits()
    threads = [
        Thread(target=_trade, args=(alone, rate, stopping)),
        Thread(target=_read, args=(alone, waits, stopping)),
    ]
    for thread in threads:
        thread.start()
    try:
        yield waits
    finally:
        stopping.set()
        for thread in threads:
            thread.join()


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


def _read(alone: Platform, waits: Waits, stopping: Event) -> None:
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
