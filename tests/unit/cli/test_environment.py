from __future__ import annotations

from pathlib import Path

import pytest

from hadron.cli.environment import (
    audit_url,
    database_url,
    load,
    local_databases,
    owner_url,
    retire_url,
)
from hadron.errors import SettingsError


def test_what_is_set_wins_and_needs_no_local_stack(tmp_path: Path) -> None:
    environ = {
        "HADRON_KAFKA": "broker:9092",
        "HADRON_DATABASE": "postgresql://db/x",
        "HADRON_REDIS": "redis://cache/1",
    }

    settings = load(environ, tmp_path / "none")

    assert settings.kafka == "broker:9092"
    assert database_url(settings) == "postgresql://db/x"


def test_without_kafka_and_stack_it_says_what_to_set_and_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"HADRON_KAFKA: is not set.*`hadron up`") as caught:
        load({"HADRON_NUM_SHARDS": "many"}, tmp_path)

    assert [line.partition(":")[0] for line in caught.value.problems] == [
        "HADRON_KAFKA",
        "HADRON_NUM_SHARDS",
    ]


def test_each_role_has_its_url_or_that_of_the_role_before_it() -> None:
    one = {"HADRON_KAFKA": "x:1", "HADRON_DATABASE": "postgresql://sink@db/x"}
    more = {**one, "HADRON_DATABASE_READ": "postgresql://reader@db/x"}
    own = {"HADRON_DATABASE_MIGRATE": "postgresql://m@db/x", "HADRON_REDIS": "redis://r"}

    assert {ask(load({**one, **own})) for ask in (database_url, audit_url)} == {
        "postgresql://sink@db/x"
    }
    assert {ask(load({**more, **own})) for ask in (database_url, audit_url)} == {
        "postgresql://reader@db/x"
    }
    assert owner_url(load({**one, **own})) == "postgresql://m@db/x"
    assert owner_url(load(more)) == "postgresql://sink@db/x"
    assert retire_url(load({**one, **own})) == "postgresql://m@db/x"
    assert retire_url(load({**one, "HADRON_DATABASE_RETIRE": "postgresql://r@db/x"})) == (
        "postgresql://r@db/x"
    )


def test_the_local_database_is_written_as_the_sink_and_asked_as_the_reader() -> None:
    found = local_databases("postgresql://postgres@127.0.0.1:5/h", {"HADRON_ROLE_PREFIX": "x_"})

    assert found == {
        "HADRON_DATABASE": "postgresql://x_sink@127.0.0.1:5/h",
        "HADRON_DATABASE_READ": "postgresql://x_reader@127.0.0.1:5/h",
        "HADRON_DATABASE_AUDIT": "postgresql://x_auditor@127.0.0.1:5/h",
        "HADRON_DATABASE_MIGRATE": "postgresql://postgres@127.0.0.1:5/h",
        "HADRON_DATABASE_RETIRE": "postgresql://x_retirer@127.0.0.1:5/h",
    }


def test_a_database_that_nobody_named_is_a_settings_error(tmp_path: Path) -> None:
    settings = load({"HADRON_KAFKA": "broker:9092"}, tmp_path)

    with pytest.raises(SettingsError, match="HADRON_DATABASE: is not set"):
        database_url(settings)
