"""How long Redis is wrong: at a start, flushed, come back empty, lying, and rebuilt by command.

Run: python -m tests.benchmarks.bench_redis [--instruments 10000] [--ticks 1000000]
"""

from __future__ import annotations

import argparse
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event
from typing import Any

import redis

from connectors.local import valkey
from connectors.redis import latest
from connectors.redis.rebuilding import rebuild
from connectors.telemetry.metrics import PrometheusTelemetry
from hadron import metrics
from hadron.partitions import partition_of
from tests.alarms import Heard
from tests.benchmarks.measuring import append
from tests.benchmarks.showing import show
from tests.integration.platform import SHARDS, Platform, platform
from tests.support import T0_NS, a_position, a_quote, a_trade, codec

PATIENCE_S = 120.0


class Watch(PrometheusTelemetry):
    """Knows when the log was folded."""

    folded = False

    def observe(self, name: str, value: float, **labels: str) -> None:
        self.folded = self.folded or name == metrics.LATEST_REBUILD_SECONDS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--instruments", type=int, default=10_000)
    parser.add_argument("--ticks", type=int, default=1_000_000)
    asked = parser.parse_args()
    with platform("valkey") as alone:
        _produce(alone, asked.instruments, asked.ticks)
        show(_measured(alone, 3 * asked.instruments) | vars(asked))


def _measured(alone: Platform, keys: int) -> dict[str, Any]:
    found: dict[str, Any] = {"keys": keys}
    assert alone.settings.redis is not None
    url = alone.settings.redis.get_secret_value()
    with redis.Redis.from_url(url, decode_responses=True) as client:
        began_s = time.monotonic()
        with _running(alone) as watch:
            found["start_all_keys_s"] = _seconds(lambda: client.dbsize() == keys, began_s)
            found["start_s"] = _seconds(lambda: watch.folded, began_s)
            before = _everything(client)
            time.sleep(2)  # until it compares, instead of folding

            client.flushdb()
            found["flushed_s"] = _seconds(lambda: client.dbsize() == keys)

            for key in list(before)[::10]:
                client.set(key, "a lie")
            found["lying_s"] = _seconds(lambda: _everything(client) == before)

            valkey.stop(alone.directory / "valkey")
            for file in (alone.directory / "valkey").glob("appendonlydir/*"):
                file.unlink()
            valkey.start(alone.directory / "valkey")
            found["come_back_empty_s"] = _seconds(lambda: client.dbsize() == keys)
            assert _everything(client) == before
        client.flushdb()
        told = rebuild(alone.settings, codec=codec(), telemetry=PrometheusTelemetry())
        assert _everything(client) == before
        assert told.missing == keys
    return found | {"rebuild_s": told.seconds, "rebuild_records": told.records}


def _produce(alone: Platform, instruments: int, ticks: int) -> None:
    """Ticks of all instruments in turn, half of them quotes, and a position in each."""
    batches: dict[str, dict[int, Any]] = {}
    for n in range(ticks):
        of = n // 2 % instruments
        name, lane = f"eq:S{of}", ("fast", "warm", "cold")[of % 3]
        shared: dict[str, Any] = {
            "instrument": name,
            "at_ns": T0_NS + n * 1000,
            "raw_offset": n,
            "lane": lane,
        }
        fact: Any = a_quote(**shared) if n % 2 else a_trade("1.25", **shared)
        _add(batches, f"ticks.{lane}", name, name, fact)
        if n % 10_000 == 9_999:
            _flush(alone, batches)
    for of in range(instruments):
        name = f"eq:S{of}"
        _add(batches, "positions", f"main/sma/{name}", name, a_position(instrument=name))
    _flush(alone, batches)
    alone.log.flush(60)


def _add(
    batches: dict[str, dict[int, Any]], topic: str, key: str, instrument: str, fact: Any
) -> None:
    partition = partition_of(instrument, SHARDS)
    record = (key, codec().encode(fact))
    batches.setdefault(topic, {}).setdefault(partition, []).append(record)


def _flush(alone: Platform, batches: dict[str, dict[int, Any]]) -> None:
    for topic, of_topic in batches.items():
        append(alone, topic, of_topic)


@contextmanager
def _running(alone: Platform) -> Iterator[Watch]:
    stop, watch = Event(), Watch()
    options = {"codec": codec(), "telemetry": watch, "alarms": Heard(), "stop": stop}
    thread = threading.Thread(target=latest.run, args=(alone.settings,), kwargs=options)
    thread.start()
    try:
        yield watch
    finally:
        stop.set()
        thread.join()


def _everything(client: redis.Redis) -> dict[str, Any]:
    keys: Any = client.keys()
    values: Any = client.mget(keys) if keys else []
    return dict(sorted(zip(keys, values, strict=True)))


def _seconds(holds: Callable[[], bool], began_s: float | None = None) -> float:
    began_s = time.monotonic() if began_s is None else began_s
    while not holds():
        assert time.monotonic() - began_s < PATIENCE_S, "not in time"
        time.sleep(0.05)
    return round(time.monotonic() - began_s, 2)


if __name__ == "__main__":
    main()
