"""aiokafka's fetching as streams need it: on their loop, at a pace, FAST before the others."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread
from mode.utils.futures import maybe_async

from streams.ranks import FAST
from streams.sessions import FetchSession, SessionRequest

HELD_BACK_S = 0.005
LONGEST_FETCH_MS = 50
SHORTEST_FETCH_MS = 3  # where records of FAST were left out, for they waited here


class FetchedRecord(msgspec.Struct, gc=False):
    """What aiokafka makes of each record; its own frozen dataclass costs 0.7 us more."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    timestamp_type: int
    key: bytes | None
    value: bytes | None
    checksum: int | None
    serialized_key_size: int
    serialized_value_size: int
    headers: tuple[tuple[str, bytes], ...]


class SliceThread(AIOKafkaConsumerThread):  # type: ignore[misc]
    """Faust's consumer thread, without the thread, whose fetches leave no partition out for long.

    Stepping and fetching share one interpreter: two threads only wait for each other's turn with
    it, and each fetch pays for calls between them. All that fetching needs of the loop is that
    turns are short.

    aiokafka has one fetch under way to a broker. While records of one partition wait to be taken it
    first holds the next fetch back (0.1 s), then sends it without that partition, to be answered
    when others have data: after 1.5 s, as Faust sets it. A busy partition beside quiet ones, or a
    FAST one beside a COLD that is held back, would wait that long.
    """

    async def start(self) -> None:
        """Serve on the loop of the caller."""
        self._thread_started.set()
        self._thread_running = asyncio.get_running_loop().create_future()
        self._serving = asyncio.create_task(self._serve())
        await self._thread_running

    async def call_thread(self, fun: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call it here."""
        return await maybe_async(fun(*args, **kwargs))

    async def _gather_remaining_tasks(self) -> None:
        """The other tasks of the loop are not ours."""

    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = LONGEST_FETCH_MS
        return consumer

    async def on_start(self) -> None:
        await super().on_start()
        fetcher = self._consumer._fetcher
        fetcher._prefetch_backoff = HELD_BACK_S
        fetcher._proc_fetch_request = self._fetching(fetcher._proc_fetch_request)

    def _fetching(self, fetch: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        """The same fetch, at our pace to each broker; what it brought is taken by rank."""
        records, rank_of = self._consumer._fetcher._records, self.consumer.rank_of
        due: dict[Any, float] = {}
        sessions: dict[Any, FetchSession] = {}

        async def fetching(assignment: Any, node: Any, request: Any) -> Any:
            # What still waits here is not in the request.
            if any(rank_of(tp) <= FAST for tp in records):
                request._max_wait_ms = SHORTEST_FETCH_MS
            now, earliest = time.monotonic(), due.get(node, 0.0)
            if now < earliest:
                try:
                    await asyncio.sleep(earliest - now)
                except asyncio.CancelledError:
                    return False  # as aiokafka's own fetch: who closes it awaits it
            due[node] = max(now, earliest) + self.consumer.pause_s
            session = sessions.setdefault(node, FetchSession())
            brought = await fetch(assignment, node, SessionRequest(request, session))
            for tp in sorted(records, key=rank_of):
                records.move_to_end(tp)
            return brought

        return fetching
