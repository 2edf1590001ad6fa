"""uvloop against asyncio's own loop, in CPU: a feed that is never idle, and one wake-up at a time.

`feed`: an event of a feed with its simulator, over a socket, the log in memory. `wake_up`: 100
bytes to somebody and back, each waiting for the other, as small slices do. Both ends are in one
process, on one loop, in turns. `times` is CPU on asyncio's loop by CPU on uvloop.

Run: python -m tests.benchmarks.bench_loop [--rounds N] [--events N]
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

import structlog
import uvloop

from tests.benchmarks.pairs import times
from tests.benchmarks.showing import show
from tests.integration.feeding import a_feed, as_fast_as_possible, events

SIZE = 100
Run = Callable[[Coroutine[Any, Any, None]], object]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--events", type=int, default=20_000)
    asked = parser.parse_args()
    found: dict[str, Any] = {"events": asked.events}
    with structlog.testing.capture_logs():
        for name, work in {"feed": _fed, "wake_up": _waking}.items():
            _us(asyncio.run, work, asked.events)  # imports, and what is remembered
            pairs = [
                (_us(asyncio.run, work, asked.events), _us(uvloop.run, work, asked.events))
                for _ in range(asked.rounds)
            ]
            found |= {
                f"{name}_asyncio_us": round(statistics.median(one for one, _ in pairs), 2),
                f"{name}_uvloop_us": round(statistics.median(other for _, other in pairs), 2),
                name: times(name, [({name: one}, {name: other}) for one, other in pairs]),
            }
    show(found)


def _us(run: Run, work: Callable[[int], Coroutine[Any, Any, None]], count: int) -> float:
    begun = time.process_time()
    run(work(count))
    return (time.process_time() - begun) / count * 1e6


async def _fed(count: int) -> None:
    async with a_feed(events(count), as_fast_as_possible()) as bench:
        await bench.until_all_is_recorded()


async def _waking(count: int) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError):
            while True:
                writer.write(await reader.readexactly(SIZE))
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        reader, writer = await asyncio.open_connection(host, port)
        for _ in range(count):
            writer.write(bytes(SIZE))
            await reader.readexactly(SIZE)
        writer.close()
        await writer.wait_closed()


if __name__ == "__main__":
    main()
