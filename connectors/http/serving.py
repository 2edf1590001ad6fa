"""Answers HTTP from a thread of its own, whatever the process does."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from threading import Thread
from types import TracebackType

from aiohttp import web

from hadron.errors import HadronError, SettingsError

_STOP_S = 5.0


class Serving:
    """One application, made in the thread that serves it; also a context manager.

    `settings` name the host and the port where one of them is wrong.
    """

    def __init__(
        self,
        application: Callable[[], web.Application],
        *,
        host: str,
        port: int,
        settings: tuple[str, str],
    ) -> None:
        self._application = application
        self._host = host
        self._port = port
        self._settings = settings
        self._bound: Future[int] = Future()
        self._stopping: Callable[[], object] | None = None
        self._thread = Thread(target=self._run, name="http", daemon=True)

    def start(self) -> int:
        """Return the bound port once the server answers. Raise SettingsError if it cannot bind."""
        self._thread.start()
        try:
            return self._bound.result()
        except OSError as error:
            raise SettingsError([self._problem(error)]) from error
        finally:
            if self._bound.exception():
                self._thread.join()

    def stop(self) -> None:
        """Close the port and return when the thread has ended. Does nothing the second time."""
        if self._stopping and self._thread.is_alive():
            self._stopping()
            self._thread.join(_STOP_S)
        if self._thread.is_alive():
            raise HadronError(f"the HTTP server did not stop within {_STOP_S:g} s")

    def __enter__(self) -> int:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except Exception as error:  # belongs to the thread that waits in start()
            if self._bound.done():
                raise
            self._bound.set_exception(error)

    async def _serve(self) -> None:
        loop, stopping = asyncio.get_running_loop(), asyncio.Event()
        self._stopping = partial(loop.call_soon_threadsafe, stopping.set)
        runner = web.AppRunner(
            self._application(), handle_signals=False, access_log=None, shutdown_timeout=1.0
        )
        await runner.setup()
        try:
            await web.TCPSite(runner, self._host, self._port).start()
            self._bound.set_result(int(runner.addresses[0][1]))
            await stopping.wait()
        finally:
            await runner.cleanup()

    def _problem(self, error: OSError) -> str:
        (host_setting, port_setting), host, port = self._settings, self._host, self._port
        if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
            return f"{host_setting}: {host!r} is no address of this machine; use one, or 0.0.0.0"
        if error.errno == errno.EADDRINUSE:
            return f"{port_setting}: {port} on {host} is taken; use a free one, or 0 for any"
        if error.errno == errno.EACCES:
            return f"{port_setting}: {port} on {host} needs privileges; use 1024 or above, or 0"
        return f"{port_setting}: cannot listen on {host}, port {port}: {error.strerror}"
