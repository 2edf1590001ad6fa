"""The Compose file as docker-compose reads it."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from hadron import topics
from tests.infra import tools
from tests.infra.chart import PROCESSES

FILE = tools.ROOT / "infra" / "docker-compose.yml"
EXAMPLE = tools.ROOT / "infra" / ".env.example"
ONE_SHOT = {"topics", "defaults", "migrate", "keys"}
UNPROBED = {"otel-collector"}  # its image has no program that could ask
OTHERS = {"kafka", "registry", "timescaledb", "redis", "otel-collector", "prometheus", "grafana"}
OURS = {*PROCESSES, *ONE_SHOT, "simulator", *(f"feed-{venue}" for venue in topics.VENUES)}


@cache
def services() -> dict[str, dict[str, Any]]:
    """The services as docker-compose reads them, with the example's placeholders."""
    options = ("--env-file", EXAMPLE, "--file", FILE, "--profile", "live")
    done = tools.run("docker-compose", *options, "config", "--format", "json")
    assert done.returncode == 0, done.stderr
    read: dict[str, dict[str, Any]] = json.loads(done.stdout)["services"]
    return read
