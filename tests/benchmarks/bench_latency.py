"""Budget (c): from a frame's receipt to the intent on the log, at 1,000 ticks/s, all processes.

A reader of `intents` takes the time at which it has the record, so storing and fetching are within.
Run: python -m tests.benchmarks.bench_latency
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from decimal import Decimal

from confluent_kafka import Consumer, TopicPartition

from connectors.kafka.connection import configuration
from hadron.control.facts import LimitsChanged, StrategyConfigured
from hadron.desk.facts import IntentApproved, IntentRejected
from hadron.flow import FLOW
from hadron.partitions import partition_of
from hadron.topics import TICKS, key_of
from tests.benchmarks.measuring import fed_by_a_simulator
from tests.benchmarks.showing import quantiles, show
from tests.integration.platform import SHARDS, Platform, platform, until
from tests.support import codec

SYMBOLS = "AIG,BAC,IBM,SPY"
MARKET_EVENTS_S = 200
WARM_S = 10.0  # for starting: imports, joining groups, restoring
BUSY = "busy"  # the strategy


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--rate", type=int, default=1000, help="ticks/s, a multiple of 200")
    asked = parser.parse_args()
    with deciding(asked.rate) as alone, closing(reader_of_intents(alone)) as reader:
        read(reader, WARM_S)
        waits = read(reader, asked.seconds)
        raw = [("raw.massive", partition) for partition in range(SHARDS)]
        ticks = sum(alone.log.ends(raw).values())
        hops = _hops(alone)
    result = {"ticks_per_s": round(ticks / (asked.seconds + WARM_S)), "intents": len(waits)}
    show(
        result
        | {f"frame_to_intent_ms_{name}": ms for name, ms in quantiles(waits).items()}
        | {f"{hop}_ms_{q}": ms for hop, w in hops.items() for q, ms in quantiles(w).items()}
    )


@contextmanager
def deciding(rate: int) -> Iterator[Platform]:
    """All processes, so many ticks a second, and a strategy that decides at every crossing."""
    with platform("postgres", "valkey", HADRON_SESSION_S="10", HADRON_CHECKPOINT_S="1") as alone:
        fed_by_a_simulator(alone, SYMBOLS)
        _decide_often(alone)
        for process in FLOW:
            alone.start(process)
        alone.start("simulator", "--speed", f"{rate // MARKET_EVENTS_S}x")
        until(lambda: alone.left(("desk", "normalize", "engine")) == 0, "the platform is up")
        alone.start("feed")
        yield alone


def reader_of_intents(alone: Platform) -> Consumer:
    """A consumer of what desk says, from the beginning."""
    consumer = Consumer({**configuration(alone.settings), "group.id": "bench"})
    consumer.assign([TopicPartition("intents", partition_of("main", SHARDS), 0)])
    return consumer


def read(consumer: Consumer, seconds: float) -> list[float]:
    """Milliseconds from frame to intent, of the intents of the next `seconds`."""
    waits: list[float] = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        message = consumer.poll(0.5)
        now = time.time_ns()
        if message is None or message.error():
            continue
        fact = codec().decode(message.value())
        if isinstance(fact, IntentApproved | IntentRejected):
            waits.append((now - fact.seen_ns) / 1e6)
    return waits


def _hops(alone: Platform) -> dict[str, list[float]]:
    """Milliseconds from the frame until the stage appended what follows from it, by stage."""
    hops = {
        "ticks": [topic.name for topic in TICKS.values()],
        "decisions": ["decisions"],
        "intents": ["intents"],
    }
    return {
        hop: [
            record.timestamp_ms - codec().decode(record.value).seen_ns / 1e6
            for record in alone.records(*topics)
            if record.value is not None
        ]
        for hop, topics in hops.items()
    }


def _decide_often(alone: Platform) -> None:
    """A strategy that decides at every crossing, and limits that let it."""
    many = Decimal(10**9)
    now = time.time_ns()
    facts = [
        LimitsChanged("bench", "room", now, 2, "main", many, many, many),
        StrategyConfigured(
            author="bench",
            reason="decide often",
            at_ns=now,
            version=1,
            name=BUSY,
            kind="SimpleSMA",
            enabled=True,
            portfolio="main",
            instruments=[],
            parameters={"threshold_bps": "1", "quantity": "1"},
        ),
    ]
    for fact in facts:
        for partition in range(SHARDS):
            alone.log.append("control", partition, [(key_of(fact), codec().encode(fact))])
    alone.log.flush()


if __name__ == "__main__":
    main()
