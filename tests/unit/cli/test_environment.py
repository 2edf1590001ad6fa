from __future__ import annotations

from pathlib import Path

import pytest

from hadron.cli.environment import database_url, load
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


def test_a_database_that_nobody_named_is_a_settings_error(tmp_path: Path) -> None:
    settings = load({"HADRON_KAFKA": "broker:9092"}, tmp_path)

    with pytest.raises(SettingsError, match="HADRON_DATABASE: is not set"):
        database_url(settings)
