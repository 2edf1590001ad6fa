"""Every process of the platform as a child of this one, started again when it dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import msgspec

STOP_S = 30.0


class Job(msgspec.Struct, frozen=True):
    """A process to run: `hadron run <process> <arguments>`, with settings of its own."""

    process: str
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = {}


class Running(msgspec.Struct):
    """A started job; its log is a file of JSON lines."""

    job: Job
    child: subprocess.Popen[bytes]
    log: Path
    restarts: int = 0
    stopping: bool = False
    port: int = 0

    @property
    def name(self) -> str:
        return self.job.process


class Fleet:
    """Children by name. They end with us: `stop_all` on every way out."""

    def __init__(self, environment: Mapping[str, str], logs: Path) -> None:
        self._environment = dict(environment)
        self._logs = logs
        self.running: dict[str, Running] = {}

    def start(self, job: Job) -> None:
        """Start a job that does not run yet."""
        log = self._logs / f"{job.process}.log"
        self.running[job.process] = Running(job, self._spawn(job, log), log)

    def stop(self, name: str) -> None:
        """Ask a process to stop, and wait for it; kill it if it does not."""
        one = self.running[name]
        self._ask(one)
        self._wait(one, time.monotonic() + STOP_S)

    def stop_all(self, *, but: str = "") -> None:
        """Stop all processes at once, but for that one, and wait for them."""
        asked = [one for one in self.running.values() if one.name != but]
        for one in asked:
            self._ask(one)
        deadline = time.monotonic() + STOP_S
        for one in asked:
            self._wait(one, deadline)

    def tend(self) -> list[str]:
        """Start again what died. Return the names of those."""
        died = [
            one
            for one in self.running.values()
            if not one.stopping and one.child.poll() is not None
        ]
        for one in died:
            one.child = self._spawn(one.job, one.log)
            one.port = 0
            one.restarts += 1
        return [one.name for one in died]

    def ports(self) -> dict[str, int]:
        """Where each process answers HTTP, as far as it has said so in its log."""
        for one in self.running.values():
            if not one.port and one.child.poll() is None:
                one.port = _port_of(one.log, one.child.pid)
        return {name: one.port for name, one in self.running.items() if one.port}

    def last_words(self, name: str, lines: int = 5) -> str:
        """The end of a process's log."""
        log = self.running[name].log
        return "\n".join(log.read_text("utf-8", "replace").splitlines()[-lines:])

    def _spawn(self, job: Job, log: Path) -> subprocess.Popen[bytes]:
        self._logs.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as out:
            return subprocess.Popen(
                [sys.executable, "-m", "hadron", "run", job.process, *job.arguments],
                env={**self._environment, **job.environment},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                # Ctrl-C is ours alone; we stop them in order. In one session: Linux gives each its
                # own share, whatever the priorities within.
                process_group=0,
            )

    def _ask(self, one: Running) -> None:
        one.stopping = True
        if one.child.poll() is None:
            one.child.send_signal(signal.SIGTERM)

    def _wait(self, one: Running, deadline: float) -> None:
        try:
            one.child.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            os.killpg(one.child.pid, signal.SIGKILL)
            one.child.wait()


def _port_of(log: Path, pid: int) -> int:
    for line in reversed(log.read_bytes().splitlines()):
        if b'"process started"' in line:
            try:
                said = msgspec.json.decode(line)
            except msgspec.DecodeError:
                continue
            return int(said["port"]) if said.get("pid") == pid else 0
    return 0
