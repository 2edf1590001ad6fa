"""This machine: room on the disk, and the port that a process answers on."""

from __future__ import annotations

import json
import shutil
import socket
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hadron.cli.checks.finding import Finding, error, note, sound, warning
from hadron.variables import variable

if TYPE_CHECKING:
    from hadron.settings import Settings

GIB = 2**30


def disk(directory: Path) -> Finding:
    """Room where the local stack's data lies, or will."""
    place = directory
    while not place.exists():
        place = place.parent
    usage = shutil.disk_usage(place)
    return room(directory, free=usage.free, total=usage.total)


def room(directory: Path, *, free: int, total: int) -> Finding:
    """An error below 1 GiB: Kafka stops when it cannot write. A warning below 5 GiB and 10 %."""
    seen = f"{free / GIB:.1f} of {total / GIB:.1f} GiB are free for {directory}"
    remedy = "free some space, or keep the local stack's data elsewhere with --dir"
    if free < GIB:
        return error("disk", seen, wanted="1 GiB at least", remedy=remedy)
    if free < 5 * GIB and free < total / 10:
        return warning("disk", seen, wanted="5 GiB, or a tenth of the disk", remedy=remedy)
    return sound("disk", seen)


def http_port(settings: Settings) -> Finding:
    """Whether the next process can answer on its port; one of ours that runs there is no fault."""
    host, port = settings.http_host, settings.http_port
    if not port:
        return sound("http port", "any free port")
    try:
        with socket.create_server((host, port)):
            return sound("http port", f"{host}:{port} is free")
    except OSError as problem:
        seen = f"{host}:{port}: {problem.strerror or problem}"
    running = health(host, port)
    if running is not None and "process" in running:
        ours = f"{host}:{port} is used by the process {running['process']}"
        return note("http port", ours, wanted="a port for each process")
    return error(
        "http port",
        seen,
        wanted="a port to answer /health, /ready and /metrics on",
        remedy=f"set {variable('http_port')} to another port, or to 0 for any free one",
    )


def health(host: str, port: int, path: str = "/health") -> dict[str, Any] | None:
    """What a process answers, well or not; None where none of ours is reached within a second."""
    try:
        with urllib.request.urlopen(f"http://{host}:{port}{path}", timeout=1) as answer:
            body = answer.read()
    except urllib.error.HTTPError as refusal:
        body = refusal.read()  # 503 says in its body what is not ready
    except (OSError, ValueError):
        return None
    try:
        told = json.loads(body)
    except ValueError:
        return None
    return told if isinstance(told, dict) else None
