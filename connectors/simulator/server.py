"""A real WebSocket server that speaks Massive's side and plays one market to one client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress

import msgspec
import structlog
from pydantic import SecretStr
from websockets.asyncio.server import Server, ServerConnection
from websockets.asyncio.server import serve as serve_websocket
from websockets.exceptions import ConnectionClosed
from websockets.protocol import State

from connectors.simulator.faults import Fault
from connectors.simulator.play import Play, array
from connectors.simulator.wire import be_silent, cut
from hadron.simulation.played import Played
from hadron.venues.massive.server import EVICTED_CODE, EVICTION, GREETING, MassiveServer

log = structlog.get_logger()
# A venue gathers what happens meanwhile into one frame.
FRAME_S = 0.002
GARBAGE = b'[{"ev":"T","sym":"AAPL","p":'


class Script(msgspec.Struct, frozen=True):
    """How it is played. Without a key, any key is right.

    With `resume`, the play waits while no client listens, and a drop loses nothing. Without, time
    goes on as at a real venue: what was due meanwhile is lost, and so is the frame of the drop.
    """

    speed: float = 1.0
    key: SecretStr | None = None
    faults: Sequence[Fault] = ()
    resume: bool = True
    unentitled: Sequence[str] = ()  # topic codes that are not authorized


class Simulator:
    """Starts to play when a client has subscribed; a newer client evicts the older one.

    After the end of the market nothing more is sent, connections stay open and `finished` is set.
    """

    def __init__(self, market: Iterator[Played], script: Script) -> None:
        self._script = script
        of_connections = ("hangup", "bad-auth")
        self._at_connection = {
            (fault.kind, fault.at) for fault in script.faults if fault.kind in of_connections
        }
        played = [fault for fault in script.faults if fault.kind not in of_connections]
        self._play = Play(market, speed=script.speed, faults=played)
        self._one_at_a_time = asyncio.Lock()
        self._client: ServerConnection | None = None
        self.connections = 0
        self.finished = asyncio.Event()

    @property
    def sent(self) -> Mapping[str, int]:
        """Events sent so far, per symbol."""
        return self._play.sent

    async def handle(self, socket: ServerConnection) -> None:
        """Serve one client until it goes."""
        self.connections += 1
        number = self.connections
        server = MassiveServer(self._script.key, self._script.unentitled)
        playing: asyncio.Task[None] | None = None
        try:
            await socket.send(GREETING, text=True)
            if ("hangup", number) in self._at_connection:
                await cut(socket)
            async for frame in socket:
                await self._answer(socket, server, frame, number)
                if server.topics and playing is None:
                    playing = asyncio.create_task(self._perform(socket, server))
        except ConnectionClosed:
            log.info("client gone", connection=number)
        finally:
            if playing is not None:
                playing.cancel()
                await asyncio.gather(playing, return_exceptions=True)

    async def _answer(
        self, socket: ServerConnection, server: MassiveServer, frame: str | bytes, number: int
    ) -> None:
        known = server.authenticated
        if not known and ("bad-auth", number) in self._at_connection:
            reply = server.refuse()
        else:
            reply = server.received(frame.encode() if isinstance(frame, str) else frame)
        if server.authenticated and not known:
            await self._evict(socket)
        for answer in reply.frames:
            await socket.send(answer, text=True)
        if reply.cut:
            await cut(socket)

    async def _evict(self, newer: ServerConnection | None) -> None:
        """One connection per account: the older one goes."""
        older, self._client = self._client, newer
        if older is not None:
            with suppress(ConnectionClosed):
                await older.send(EVICTION, text=True)
                await older.close(EVICTED_CODE)

    async def _perform(self, socket: ServerConnection, server: MassiveServer) -> None:
        clock = asyncio.get_running_loop().time
        async with self._one_at_a_time:
            try:
                if not self._script.resume:
                    self._play.skip(clock())
                # What is taken from the play is written before anything else can happen.
                while socket.state is State.OPEN:
                    if fault := self._play.fault():
                        await self._fail(fault, socket, server)
                        continue
                    due = self._play.due(server.wants, clock())
                    if due is None:
                        self.finished.set()
                        return
                    if isinstance(due, float):
                        await asyncio.sleep(max(due, FRAME_S))
                    else:
                        await socket.send(array(due), text=True)
            except ConnectionClosed:
                log.info("client gone while playing")
            finally:
                if self._script.resume:
                    self._play.pause()

    async def _fail(self, fault: Fault, socket: ServerConnection, server: MassiveServer) -> None:
        log.info("fault", kind=fault.kind, at=fault.at)
        match fault.kind:
            case "garbage":
                await socket.send(GARBAGE, text=True)
            case "silence":
                await be_silent(socket, fault.seconds)
            case "evict":
                await self._evict(None)
            case "drop" if self._script.resume:
                await cut(socket)
            case "drop":
                self._play.due(server.wants, asyncio.get_running_loop().time())
                socket.transport.abort()
                await socket.wait_closed()


@asynccontextmanager
async def listening(
    simulator: Simulator, *, host: str = "127.0.0.1", port: int = 0
) -> AsyncIterator[str]:
    """The URL of the simulator while it listens; port 0 takes any free one."""
    async with serve_websocket(
        simulator.handle, host, port, compression=None, ping_interval=None, close_timeout=1
    ) as server:
        yield _url(server, host)


async def serve(
    simulator: Simulator,
    stopping: asyncio.Event,
    ready: Callable[[str], None],
    *,
    host: str = "127.0.0.1",
    port: int = 0,
) -> None:
    """Listen until `stopping` is set; `ready` is told the URL once clients can come."""
    async with listening(simulator, host=host, port=port) as url:
        ready(url)
        await stopping.wait()


def _url(server: Server, host: str) -> str:
    port = next(iter(server.sockets)).getsockname()[1]
    return f"ws://{host}:{port}"
