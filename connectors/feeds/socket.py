"""The one WebSocket driver: connects again for ever, and hands each connection to its session."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from urllib.parse import urlsplit

import structlog
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_random_exponential
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus, WebSocketException

from connectors.feeds.outside import Outside, Pace, Source
from connectors.feeds.recorder import Recorder
from connectors.feeds.session import Disconnected, Session
from hadron.metrics import FEED_CONNECTIONS
from hadron.venues.protocol import CLOSED_ABNORMALLY

log = structlog.get_logger()


class Driver:
    """Keeps one venue's protocol connected until it is told to stop.

    Delays between connections are exponential with full jitter (AWS Architecture Blog, "Exponential
    Backoff and Jitter"); a connection that was live resets them. Connections are numbered from the
    start time in ms: so numbers grow over restarts without asking the log.
    """

    def __init__(self, source: Source, outside: Outside, pace: Pace) -> None:
        self._source = source
        self._outside = outside
        self._pace = pace
        self._recorder = Recorder(source, outside)
        self._number = time.time_ns() // 1_000_000
        self._jitter = wait_random_exponential(multiplier=pace.first_delay_s, max=pace.most_delay_s)

    async def run(self, stopping: asyncio.Event) -> None:
        """Return once stopped and the connection is closed. Raise what the log raises."""

        async def sleep(seconds: float) -> None:
            with suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), seconds)

        await AsyncRetrying(
            retry=retry_if_exception_type(Disconnected), wait=self._delay, sleep=sleep
        )(self._connection, stopping)

    def _delay(self, state: RetryCallState) -> float:
        ended = state.outcome.exception() if state.outcome else None
        assert isinstance(ended, Disconnected)
        if ended.proven:
            state.attempt_number = 1
        delay = max(self._jitter(state), ended.wait_s)
        # In `ended` the session said what only an operator can mend; all else may pass.
        self._outside.alarms.raised(
            self._source.venue, f"not connected: {ended}", after_s=self._pace.missed_s
        )
        log.warning("disconnected", venue=self._source.venue, reason=str(ended), retry_s=delay)
        return delay

    async def _connection(self, stopping: asyncio.Event) -> None:
        """One connection; raise Disconnected when it ends before we stop."""
        if stopping.is_set():
            return
        session = Session(
            self._source, self._outside, self._recorder, number=self._number, pace=self._pace
        )
        self._number += 1
        try:
            socket = await self._opened()
        except InvalidStatus as error:
            raise await session.ended(error.response.status_code, "refused") from None
        except (OSError, TimeoutError, WebSocketException) as error:
            raise await session.ended(CLOSED_ABNORMALLY, _why(error)) from None
        self._outside.telemetry.count(FEED_CONNECTIONS, venue=self._source.venue)
        try:
            await session.run(socket, stopping)
        finally:
            socket.transport.abort()  # nothing after the end that the session chose is wanted
            await socket.wait_closed()
        ended = await session.ended(
            socket.close_code or CLOSED_ABNORMALLY, socket.close_reason or ""
        )
        if not stopping.is_set():
            raise ended

    async def _opened(self) -> ClientConnection:
        url, pace = self._source.url, self._pace
        local = urlsplit(url).hostname in ("localhost", "127.0.0.1", "::1")
        return await connect(
            url,
            compression=None,  # it would cost more time per event than all else
            proxy=None if local else True,
            ping_interval=None,  # the session pings: the protocol judges the silence
            open_timeout=pace.open_s,
            close_timeout=pace.close_s,
            max_size=pace.frame_bytes,
            max_queue=64,
        )


def _why(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:200]
