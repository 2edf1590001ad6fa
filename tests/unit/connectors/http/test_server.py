"""The HTTP server answers from its own thread, over a real socket."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any

import pytest

from connectors.http.health import Health
from connectors.http.server import http_server
from hadron.errors import SettingsError

HOST = "127.0.0.1"


def get(port: int, path: str) -> tuple[int, str, bytes]:
    connection = HTTPConnection(HOST, port, timeout=10)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.getheader("Content-Type", ""), answer.read()
    finally:
        connection.close()


def get_json(port: int, path: str) -> tuple[int, Any]:
    status, kind, body = get(port, path)
    assert kind.startswith("application/json")
    return status, json.loads(body)


@pytest.fixture
def health() -> Health:
    return Health("engine", "0.1.0", expected=["kafka"], stale_after_s=0.0)


@pytest.fixture
def port(health: Health) -> Iterator[int]:
    with http_server(health, lambda: b"up 1\n", host=HOST, port=0) as bound:
        yield bound


@pytest.mark.parametrize("path", ["/health", "/system/health"])
def test_a_process_that_is_alive_answers_200(port: int, path: str) -> None:
    status, body = get_json(port, path)

    assert status == 200
    assert (body["process"], body["version"]) == ("engine", "0.1.0")


@pytest.mark.parametrize("path", ["/health", "/system/health"])
def test_a_process_whose_loop_stands_still_answers_503(
    health: Health, port: int, path: str
) -> None:
    health.lag(1)

    status, body = get_json(port, path)

    assert (status, body["alive"]) == (503, False)


def test_ready_answers_503_until_all_checks_are_well(health: Health, port: int) -> None:
    health.ready("kafka", False, "no broker answers")
    before = get_json(port, "/ready")
    health.ready("kafka", True)
    after = get_json(port, "/ready")

    assert before[0] == 503
    assert before[1]["checks"] == [{"check": "kafka", "ok": False, "reason": "no broker answers"}]
    assert (after[0], after[1]["ready"]) == (200, True)


def test_metrics_are_in_prometheus_text_format(port: int) -> None:
    status, kind, body = get(port, "/metrics")

    assert (status, body) == (200, b"up 1\n")
    assert kind.startswith("text/plain; version=")


def test_an_unknown_path_is_404(port: int) -> None:
    assert get(port, "/nowhere")[0] == 404


def test_a_taken_port_is_named_with_its_setting(health: Health, port: int) -> None:
    second = http_server(health, lambda: b"", host=HOST, port=port)

    with pytest.raises(SettingsError, match=rf"HADRON_HTTP_PORT: {port} on {HOST} is taken"):
        second.start()

    second.stop()


def test_a_host_that_is_not_ours_is_named_with_its_setting(health: Health) -> None:
    server = http_server(health, lambda: b"", host="192.0.2.1", port=0)

    with pytest.raises(SettingsError, match=r"HADRON_HTTP_HOST: '192.0.2.1'"):
        server.start()


def test_after_stop_the_port_is_free_and_the_thread_gone(health: Health) -> None:
    server = http_server(health, lambda: b"", host=HOST, port=0)
    port = server.start()
    get(port, "/health")

    server.stop()
    server.stop()

    assert "http" not in {thread.name for thread in threading.enumerate()}
    with socket.create_server((HOST, port)):
        pass


def test_a_client_that_keeps_its_connection_does_not_hold_up_the_stop(health: Health) -> None:
    server = http_server(health, lambda: b"", host=HOST, port=0)
    port = server.start()

    with socket.create_connection((HOST, port)) as idle:
        idle.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        assert idle.recv(12) == b"HTTP/1.1 200"
        server.stop()

    assert "http" not in {thread.name for thread in threading.enumerate()}
