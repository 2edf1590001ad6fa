"""A small disk under a database."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from connectors.local import postgres


@contextmanager
def small_disk(*, mib: int, ballast_mib: int) -> Iterator[tuple[Path, Path]]:
    """A disk of `mib`, and the file on it without which there is room again."""
    directory = Path(tempfile.mkdtemp(prefix="hadron-disk-"))
    mounted = os.geteuid() == 0 and not _mount(directory, mib).returncode
    if not mounted:
        directory.rmdir()
        pytest.skip("needs root and the right to mount a tmpfs")
    try:
        directory.chmod(0o755)
        ballast = directory / "ballast"
        ballast.write_bytes(bytes(ballast_mib * 2**20))
        yield directory, ballast
    finally:
        subprocess.run(["umount", str(directory)], check=True)
        directory.rmdir()


@contextmanager
def database_on(disk: Path, url: str) -> Iterator[str]:
    """A database whose tables lie on a disk; its write-ahead log lies with that of the others."""
    tables = disk / "tables"
    tables.mkdir()
    shutil.chown(tables, postgres.ROOTLESS_USER, postgres.ROOTLESS_USER)
    name = f"small_{uuid4().hex[:8]}"
    named, where = sql.Identifier(name), sql.Literal(str(tables))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE TABLESPACE {} LOCATION {}").format(named, where))
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE template0 TABLESPACE {}").format(named, named)
        )
    try:
        yield url.rpartition("/")[0] + f"/{name}"
    finally:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(named))
            connection.execute(sql.SQL("DROP TABLESPACE {}").format(named))


@contextmanager
def server_on(disk: Path) -> Iterator[Path]:
    """The directory of a PostgreSQL that ends when the disk of its log is full."""
    try:
        yield disk / "postgres"
    finally:
        postgres.stop(disk / "postgres")


def _mount(directory: Path, mib: int) -> subprocess.CompletedProcess[bytes]:
    command = ["mount", "-t", "tmpfs", "-o", f"size={mib}m", "tmpfs", str(directory)]
    return subprocess.run(command, capture_output=True, check=False)
