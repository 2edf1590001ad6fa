"""What two logs cost who appends: `KafkaLog`, on librdkafka, and `KafkaLoopLog`, on aiokafka.

librdkafka sends a request for each partition, aiokafka one for all that wait. Few records at a
time: so many frames a second, a record of each to every partition; time until they are stored, and
CPU. Many: slices of 250 to one partition after the other, as fast as it goes.

Run: python -m tests.benchmarks.bench_producers [--seconds 15] [--rate 300] [--slices 800]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import time
from collections.abc import Callable
from functools import partial

import uvloop

from connectors.kafka.connection import configuration
from connectors.kafka.log import KafkaLog
from connectors.kafka.looping import KafkaLoopLog
from tests.benchmarks.measuring import server_cpu_s
from tests.benchmarks.showing import quantiles, show
from tests.integration.platform import SHARDS, Platform, platform

TOPIC = "raw.massive"
VALUE = os.urandom(120)  # as long as a raw event
SLICE = 250
MOST_WAITING = 80  # slices


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--rate", type=int, default=300, help="frames/s")
    parser.add_argument("--slices", type=int, default=800)
    asked = parser.parse_args()
    result: dict[str, float] = {}
    with platform() as alone:
        frames = (alone, asked.rate, asked.seconds)
        clients = {
            "threads": (partial(_few_by_threads, *frames), _many_by_threads),
            "loop": (partial(_few_by_loop, *frames), _many_by_loop),
        }
        # The first is measured again: connections, and the broker's compiler, make it slow.
        for name in ("threads", *clients):
            few, many = clients[name]
            found = _measured(alone, few, asked.seconds) | _rates(
                partial(many, alone), asked.slices
            )
            result |= {f"{name}_{what}": value for what, value in found.items()}
    show(result)


def _measured(alone: Platform, few: Callable[[], list[float]], seconds: float) -> dict[str, float]:
    ours, broker = time.process_time(), server_cpu_s(alone.directory)["java"]
    waits = few()
    broker = server_cpu_s(alone.directory)["java"] - broker
    return {
        "client_cpu_percent": round(100 * (time.process_time() - ours) / seconds, 1),
        "broker_cpu_percent": round(100 * broker / seconds, 1),
        **{f"stored_ms_{name}": ms for name, ms in quantiles(waits).items()},
    }


def _rates(many: Callable[[int], None], slices: int) -> dict[str, float]:
    ours, began_s = time.process_time(), time.monotonic()
    many(slices)
    records, passed_s = slices * SLICE, time.monotonic() - began_s
    cpu_us = (time.process_time() - ours) / records * 1e6
    return {"records_per_s": round(records / passed_s), "cpu_us_a_record": round(cpu_us, 2)}


def _few_by_threads(alone: Platform, rate: int, seconds: float) -> list[float]:
    log, waits = KafkaLog(configuration(alone.settings)), list[float]()
    due_s = time.monotonic()
    for _ in range(round(rate * seconds)):
        stored = partial(_stored, time.monotonic(), waits)
        for partition in range(SHARDS):
            log.append(TOPIC, partition, [(None, VALUE)], delivered=stored)
        due_s += 1 / rate
        while (left_s := due_s - time.monotonic()) > 0:
            log.poll(left_s)
    log.flush()
    log.close()
    return waits


def _many_by_threads(alone: Platform, slices: int) -> None:
    log, stored = KafkaLog(configuration(alone.settings)), list[int]()
    for number in range(slices):
        told = partial(stored.append, number)
        log.append(TOPIC, number % SHARDS, [(None, VALUE)] * SLICE, delivered=told)
        log.poll()
        while number - len(stored) > MOST_WAITING:
            log.poll(0.01)
    log.flush()
    log.close()


def _few_by_loop(alone: Platform, rate: int, seconds: float) -> list[float]:
    async def run() -> list[float]:
        log, waits = KafkaLoopLog(alone.settings), list[float]()
        due_s = time.monotonic()
        for _ in range(round(rate * seconds)):
            stored = partial(_stored, time.monotonic(), waits)
            for partition in range(SHARDS):
                log.append(TOPIC, partition, [(None, VALUE)], delivered=stored)
            due_s += 1 / rate
            await asyncio.sleep(max(due_s - time.monotonic(), 0))
        await log.drain()
        await log.close()
        return waits

    waits: list[float] = uvloop.run(run())
    return waits


def _many_by_loop(alone: Platform, slices: int) -> None:
    async def run() -> None:
        log, stored = KafkaLoopLog(alone.settings), list[int]()
        for number in range(slices):
            told = partial(stored.append, number)
            log.append(TOPIC, number % SHARDS, [(None, VALUE)] * SLICE, delivered=told)
            await asyncio.sleep(0)
            while number - len(stored) > MOST_WAITING:
                await log.wait(0.01)
        await log.drain()
        await log.close()

    uvloop.run(run())


def _stored(began_s: float, waits: list[float]) -> None:
    waits.append((time.monotonic() - began_s) * 1000)


if __name__ == "__main__":
    main()
