"""Tests and benchmarks that have servers of their own can be given a database server."""

from __future__ import annotations

from urllib.parse import urlsplit

import psycopg
import pytest

from connectors.local import stack as local
from connectors.local.stack import Endpoints
from connectors.timescale import schema
from hadron.variables import variable
from tests.benchmarks.measuring import server
from tests.integration.platform import servers


def test_a_named_database_server_is_used_and_left_as_it_was(
    stack: Endpoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable("database"), stack.database)

    with servers("postgres") as (directory, endpoints):
        schema.migrate(endpoints.database)
        started = local.state(directory)["postgres"]
        said = server(endpoints.database)

    named, given = urlsplit(stack.database), urlsplit(endpoints.database)
    assert started is None
    assert given.netloc == named.netloc
    assert said.startswith("PostgreSQL 1")
    with psycopg.connect(stack.database) as connection:
        query = "SELECT FROM pg_database WHERE datname = %s"
        assert connection.execute(query, [given.path.lstrip("/")]).fetchall() == []
