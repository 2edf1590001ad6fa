"""TimescaleDB of the tests' own server, where it has it: many connections, COPY, and jobs."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import psycopg
import pytest

from connectors.timescale.schema import timescale_version

New = Callable[[], AbstractContextManager[str]]  # makes an empty database
LISTED = "SELECT 1 FROM pg_available_extensions WHERE name = 'timescaledb'"


def demand(server: str, instead: str) -> None:
    """Skip the test on a plain PostgreSQL, and say what is tested `instead`."""
    with psycopg.connect(server) as connection:
        if connection.execute(LISTED).fetchone() is None:
            pytest.skip(f"this PostgreSQL has no TimescaleDB; {instead}")


def stop_jobs(url: str) -> None:
    """Let no job of a database run by itself, so that a test sees only what it did itself.

    Nor one of its copies. One that was just being started counts as failed: what they did is
    forgotten. On plain PostgreSQL there are none.
    """
    with psycopg.connect(url, autocommit=True) as connection:
        if timescale_version(url) is None:
            return
        connection.execute(
            """SELECT alter_job(job_id, scheduled => false) FROM timescaledb_information.jobs
            WHERE job_id >= 1000"""
        )
        connection.execute("SELECT _timescaledb_functions.stop_background_workers()")
        for table in ("bgw_job_stat", "bgw_job_stat_history"):
            connection.execute(f"DELETE FROM _timescaledb_internal.{table}".encode())


def run_jobs_now(url: str) -> None:
    """Have the server's own workers run all jobs at once, whenever they were to run."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            """SELECT alter_job(job_id, next_start => now()) FROM timescaledb_information.jobs
            WHERE job_id >= 1000"""
        )
