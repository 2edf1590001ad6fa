"""One connection, from its opening to its end: carries out what the protocol says."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress

import structlog
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from connectors.feeds.outside import Outside, Pace, Source
from connectors.feeds.recorder import Recorder
from hadron.errors import TransientError
from hadron.metrics import (
    FEED_EVICTED,
    FEED_FATAL,
    FEED_FRAMES,
    FEED_REFUSED,
    FEED_STALE,
    FEED_STATE,
)
from hadron.venues.protocol import (
    Action,
    Close,
    Moved,
    Noted,
    Phase,
    Publish,
    Refused,
    Send,
    Stop,
    Wait,
)

log = structlog.get_logger()


class Disconnected(TransientError):
    """A connection ended. `proven` if it was live; wait at least `wait_s` before the next."""

    def __init__(self, reason: str, *, proven: bool, wait_s: float) -> None:
        super().__init__(reason)
        self.proven = proven
        self.wait_s = wait_s


class Session:
    """Runs once. The clock is read here and nowhere else in a feed."""

    def __init__(
        self, source: Source, outside: Outside, recorder: Recorder, *, number: int, pace: Pace
    ) -> None:
        self._venue = source.venue
        self._protocol = source.protocol
        self._outside = outside
        self._recorder = recorder
        self._number = number
        self._pace = pace
        self._socket: ClientConnection | None = None
        self._frames = 0
        self._over = ""  # why we end it; "" while we do not
        self._proven = False
        self._wait_s = 0.0

    async def run(self, socket: ClientConnection, stopping: asyncio.Event) -> None:
        """Return when the connection has ended; all that came before its end is appended."""
        self._socket = socket
        await self._do(self._protocol.opened(time.time_ns()), time.time_ns())
        reading = asyncio.create_task(self._read(socket))
        works = [reading, asyncio.create_task(self._tick(socket))]
        closing = asyncio.create_task(self._close_when(stopping, socket))
        try:
            done, _ = await asyncio.wait(works, return_when=asyncio.FIRST_COMPLETED)
            for work in done:
                work.result()
        finally:
            for task in (*works, closing):
                task.cancel()
            await asyncio.gather(*works, closing, return_exceptions=True)

    async def ended(self, code: int, reason: str) -> Disconnected:
        """Tell the protocol; say how the next connection is to be made."""
        self._socket = None
        now_ns = time.time_ns()
        await self._do(self._protocol.closed(code, reason, now_ns), now_ns)
        why = self._over or f"closed with {code} {reason}".rstrip()
        return Disconnected(why, proven=self._proven, wait_s=self._wait_s)

    async def _read(self, socket: ClientConnection) -> None:
        received, do, most = self._protocol.received, self._do, self._pace.in_flight
        while not self._over:
            try:
                frame = await socket.recv(decode=False)
            except ConnectionClosed:
                return
            seen_ns = time.time_ns()
            self._frames += 1
            self._outside.telemetry.count(FEED_FRAMES, venue=self._venue)
            await do(received(frame, seen_ns), seen_ns)
            while self._recorder.in_flight > most:  # the log is slow: let the venue's socket fill
                await asyncio.sleep(0.01)
                self._protocol.paused(time.time_ns())

    async def _tick(self, socket: ClientConnection) -> None:
        ping_ns = time.time_ns()
        while not self._over:
            await asyncio.sleep(self._pace.tick_s)
            now_ns = time.time_ns()
            self._outside.pulse.beat()
            await self._do(self._protocol.passed(now_ns), now_ns)
            if now_ns - ping_ns >= self._pace.ping_s * 1e9:
                ping_ns = now_ns
                with suppress(ConnectionClosed):  # reading goes on to the last frame
                    asyncio.ensure_future(await socket.ping()).add_done_callback(self._pong)

    def _pong(self, answer: asyncio.Future[float]) -> None:
        if not answer.cancelled() and answer.exception() is None:
            self._protocol.heard(time.time_ns())

    async def _close_when(self, stopping: asyncio.Event, socket: ClientConnection) -> None:
        await stopping.wait()
        await socket.close()  # meanwhile reading goes on, to the last frame before the venue's end

    async def _do(self, actions: Sequence[Action], now_ns: int) -> None:
        for action in actions:
            if type(action) is Publish:
                self._recorder.write(
                    action.elements, connection=self._number, frame=self._frames, seen_ns=now_ns
                )
            elif type(action) is Send:
                await self._send(action.frame)
            else:
                self._take(action)

    async def _send(self, frame: bytes) -> None:
        if self._socket is not None:
            try:
                await self._socket.send(frame, text=True)
            except ConnectionClosed:
                log.info("connection lost while sending", venue=self._venue)

    def _take(self, action: Action) -> None:
        count, venue = self._outside.telemetry.count, self._venue
        match action:
            case Moved(phase):
                self._moved(phase)
            case Close(reason, stale):
                self._over = reason
                if stale:
                    count(FEED_STALE, venue=venue)
            case Stop(reason):
                self._over = reason
                self._wait_s = max(self._wait_s, self._pace.fatal_delay_s)
                count(FEED_FATAL, venue=venue)
                self._outside.alarms.raised(venue, f"the venue refuses us: {reason}")
                log.error("venue refused us", venue=venue, reason=reason, retry_s=self._wait_s)
            case Wait(seconds, reason):
                self._wait_s = max(self._wait_s, seconds)
                count(FEED_EVICTED, venue=venue)
                log.warning("venue asks to wait", venue=venue, reason=reason, wait_s=seconds)
            case Refused(topic, reason):
                count(FEED_REFUSED, venue=venue)
                log.error("topic refused", venue=venue, topic=topic, reason=reason)
            case Noted(message):
                log.warning("venue said", venue=venue, message=message)

    def _moved(self, phase: Phase) -> None:
        live = phase is Phase.LIVE
        self._proven = self._proven or live
        self._outside.telemetry.gauge(FEED_STATE, float(live), venue=self._venue)
        self._outside.pulse.ready("venue", live, "" if live else phase.value)
        if live:
            self._outside.alarms.well(self._venue)
        log.info("feed", venue=self._venue, phase=phase.value, connection=self._number)
