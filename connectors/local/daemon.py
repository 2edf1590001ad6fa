"""A server that outlives the process that started it: spawn, recognise, stop."""

from __future__ import annotations

import json
import shlex
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from fcntl import LOCK_EX, flock
from pathlib import Path

import msgspec
import psutil

from hadron.errors import TransientError

STATE = "daemon.json"
LOG = "server.log"
_SAID_LINES = 15
_GONE_S = 0.2  # while a process becomes another program, nothing tells that it is ours


class Ended(TransientError):
    """A server ended while it started, as it does where another took its port just before."""


class Daemon(msgspec.Struct, frozen=True):
    """A server's process and the ports that it was given."""

    pid: int
    ports: tuple[int, ...]


def spawn(
    command: Sequence[str | Path],
    *,
    directory: Path,
    ports: Sequence[int],
    user: str | None = None,
) -> None:
    """Start `command` in a session of its own, its output in `server.log` of `directory`.

    `directory` must be named in the command: it is how `find` knows the process again.
    """
    # The shell is gone at once: nobody has to reap the server, and it is on record even if
    # we are killed right here.
    record = f'{{"pid": %d, "ports": {json.dumps(list(ports))}}}'
    script = (
        f'"$@" >>{LOG} 2>&1 </dev/null & printf {shlex.quote(record)} $! >{STATE}.new'
        f" && mv {STATE}.new {STATE}"
    )
    subprocess.run(
        ["/bin/sh", "-c", script, "sh", *map(str, command)],
        check=True,
        cwd=directory,
        start_new_session=True,
        user=user,
        group=user,
        extra_groups=None if user is None else [],
    )


def remembered_ports(directory: Path) -> tuple[int, ...]:
    """The ports that the server of `directory` had last, or none."""
    recorded = _recorded(directory)
    return recorded.ports if recorded else ()


def find(directory: Path) -> Daemon | None:
    """The running server of `directory`. A foreign process with its old pid is not taken for it."""
    daemon = _recorded(directory)
    return daemon if daemon and _process(daemon.pid, directory) else None


def wait_until(
    probe: Callable[[], bool], *, name: str, directory: Path, timeout_s: float = 60.0
) -> None:
    """Return when `probe` holds.

    Raise Ended, or TransientError if it takes too long, with the end of the server's log.
    """
    seen = time.monotonic()
    deadline = seen + timeout_s
    # Ours, for where another took the port it is the other that answers.
    while not ((there := find(directory) is not None) and probe()):
        now = time.monotonic()
        if there:
            seen = now
        elif now - seen > _GONE_S:
            raise Ended(f"{name} ended while starting.{_last_words(directory)}")
        if now > deadline:
            raise TransientError(f"{name} not ready in {timeout_s:g} s.{_last_words(directory)}")
        time.sleep(0.02)


def stop(directory: Path, number: int, *, name: str, timeout_s: float = 60.0) -> None:
    """Send a signal and return when the server is gone. Raise TransientError if it stays."""
    daemon = find(directory)
    process = _process(daemon.pid, directory) if daemon else None
    if process is None:
        return
    deadline = time.monotonic() + timeout_s
    process.send_signal(number)
    while _alive(process):
        if time.monotonic() > deadline:
            raise TransientError(
                f"{name} (pid {process.pid}) did not stop in {timeout_s:g} s."
                f"{_last_words(directory)}"
            )
        time.sleep(0.02)


def listens(port: int) -> bool:
    """Whether a server accepts connections on this port of the loopback address."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def free_ports(count: int, *, preferred: Sequence[int]) -> tuple[int, ...]:
    """The preferred ports if all of them are free, else others that are."""
    for wanted in (tuple(preferred), (0,) * count):
        if len(wanted) != count:
            continue
        with ExitStack() as held:
            try:
                return tuple(held.enter_context(_bound(port)) for port in wanted)
            except OSError:
                continue
    raise TransientError(f"no {count} free ports on 127.0.0.1")


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock file, so that two commands do not start the same server."""
    with path.open("a") as file:
        flock(file, LOCK_EX)
        yield


@contextmanager
def _bound(port: int) -> Iterator[int]:
    with socket.socket() as probe:
        # As servers do: a port in TIME_WAIT is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
        yield probe.getsockname()[1]


def _recorded(directory: Path) -> Daemon | None:
    try:
        return msgspec.json.decode((directory / STATE).read_bytes(), type=Daemon)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def _process(pid: int, directory: Path) -> psutil.Process | None:
    try:
        process = psutil.Process(pid)
        ours = any(str(directory) in argument for argument in process.cmdline())
    except psutil.Error:
        return None
    return process if ours and _alive(process) else None


def _alive(process: psutil.Process) -> bool:
    try:
        # Where nobody reaps orphans (containers), a dead server stays as a zombie.
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _last_words(directory: Path) -> str:
    path = directory / LOG
    if not path.exists():
        return f" It wrote no {path}."
    lines = path.read_text(errors="replace").splitlines()[-_SAID_LINES:]
    return "\n".join([f" The end of {path}:", *lines])
