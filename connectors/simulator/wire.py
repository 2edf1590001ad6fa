"""The ways in which a connection can fail on purpose."""

from __future__ import annotations

import asyncio

from websockets.asyncio.server import ServerConnection

CUT_S = 5.0


class _Deaf(asyncio.Protocol):
    """Takes a connection over from its WebSocket: reads on, and answers nothing."""

    def __init__(self, socket: ServerConnection) -> None:
        self._socket = socket

    def pause_writing(self) -> None:
        self._socket.pause_writing()

    def resume_writing(self) -> None:
        self._socket.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._socket.connection_lost(exc)


async def cut(socket: ServerConnection) -> None:
    """End without a close frame; what was sent before still arrives."""
    socket.transport.set_protocol(_Deaf(socket))
    socket.transport.write_eof()
    try:
        await asyncio.wait_for(socket.wait_closed(), CUT_S)
    except TimeoutError:
        socket.transport.abort()


async def be_silent(socket: ServerConnection, seconds: float) -> None:
    """Answer nothing, not even pings, for so long; what the client says meanwhile is lost."""
    socket.transport.set_protocol(_Deaf(socket))
    await asyncio.sleep(seconds)
    if not socket.transport.is_closing():
        socket.transport.set_protocol(socket)
