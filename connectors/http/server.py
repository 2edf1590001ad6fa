"""The pages that every process has: /health, /ready and /metrics."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST

from connectors.http.health import Health
from connectors.http.serving import Serving
from hadron.variables import variable


def http_server(
    health: Health, exposition: Callable[[], bytes], *, host: str, port: int
) -> Serving:
    """One per process. `exposition` is Prometheus' text format."""
    return Serving(
        _Pages(health, exposition).application,
        host=host,
        port=port,
        settings=(variable("http_host"), variable("http_port")),
    )


class _Pages:
    def __init__(self, health: Health, exposition: Callable[[], bytes]) -> None:
        self._health = health
        self._exposition = exposition

    def application(self) -> web.Application:
        application = web.Application()
        application.router.add_get("/health", self._alive)
        application.router.add_get("/system/health", self._alive)
        application.router.add_get("/ready", self._ready)
        application.router.add_get("/metrics", self._metrics)
        return application

    async def _alive(self, _: web.Request) -> web.Response:
        return _answer(*self._health.liveness())

    async def _ready(self, _: web.Request) -> web.Response:
        return _answer(*self._health.readiness())

    async def _metrics(self, _: web.Request) -> web.Response:
        return web.Response(body=self._exposition(), headers={"Content-Type": CONTENT_TYPE_LATEST})


def _answer(good: bool, body: dict[str, Any]) -> web.Response:
    headers = {"Cache-Control": "no-store"}
    return web.json_response(body, status=200 if good else 503, headers=headers)
