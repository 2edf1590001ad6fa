"""Takes commands over HTTP: GET /status, and POST /<command> with a JSON object or nothing.

Every answer is a JSON document: the status afterwards, or what is wrong.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Future
from typing import Any

import msgspec
from aiohttp import web

from hadron.errors import HadronError, RequestRefused

# Starts a command. Raises RequestRefused at once for what is wrong in its body; what it gives does
# later for what cannot be now.
Start = Callable[[Mapping[str, Any]], Future[Any]]
_LONGEST = 65_536  # bytes of a body
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def application(status: Callable[[], Any], commands: Mapping[str, Start]) -> web.Application:
    """`status` is None before there is any."""
    made = web.Application(middlewares=[_documents], client_max_size=_LONGEST)
    made.router.add_get("/status", _Status(status).answer)
    for name, start in commands.items():
        made.router.add_post(f"/{name}", _Command(start).answer)
    return made


class _Status:
    def __init__(self, status: Callable[[], Any]) -> None:
        self._status = status

    async def answer(self, _: web.Request) -> web.Response:
        if (status := self._status()) is None:
            return _answer(503, {"error": "it has not begun yet; ask again"})
        return _answer(200, status)


class _Command:
    def __init__(self, start: Start) -> None:
        self._start = start

    async def answer(self, request: web.Request) -> web.Response:
        try:
            started = self._start(_body(await request.read()))
        except RequestRefused as error:
            return _refused(400, error)
        try:
            return _answer(200, await asyncio.wrap_future(started))
        except RequestRefused as error:
            return _refused(409, error)
        except HadronError as error:
            return _answer(500, {"error": str(error)})


@web.middleware
async def _documents(request: web.Request, handler: _Handler) -> web.StreamResponse:
    """Errors of HTTP as documents, too; and nothing for pages that a browser shows."""
    if (origin := request.headers.get("Origin")) is not None:
        refusal = RequestRefused("Origin", repr(origin), "none, as pages may not command")
        return _refused(403, refusal)
    try:
        return await handler(request)
    except web.HTTPException as error:
        told = sorted(
            f"{route.method} {resource.canonical}"
            for resource in request.app.router.resources()
            for route in resource
            if route.method != "HEAD"
        )
        seen = f"{request.method} {request.path}"
        return _refused(error.status, RequestRefused("request", seen, f"one of {', '.join(told)}"))


def _body(sent: bytes) -> Mapping[str, Any]:
    try:
        return msgspec.json.decode(sent or b"{}", type=dict[str, Any])
    except msgspec.DecodeError:
        seen = repr(sent[:80].decode("utf-8", "replace"))
        raise RequestRefused("body", seen, "a JSON object, or nothing") from None


def _refused(status: int, error: RequestRefused) -> web.Response:
    told = {"setting": error.setting, "value": error.value, "wanted": error.wanted}
    return _answer(status, {"error": str(error), **told})


def _answer(status: int, document: Any) -> web.Response:
    return web.Response(
        status=status,
        body=msgspec.json.encode(document),
        content_type="application/json",
        headers={"Cache-Control": "no-store"},
    )
