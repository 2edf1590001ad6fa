from __future__ import annotations

from pathlib import Path

import pytest

import schemas
from hadron.cli.checks import clock, contracts, machine, variables

GIB = 2**30
S = 1_000_000_000


def test_a_misspelt_variable_is_an_error_that_names_the_right_one() -> None:
    found = variables.unknown({"HADRON_KAFAK": "x", "HADRON_KAFKA": "x", "PATH": "x"})

    assert found.failed
    assert "HADRON_KAFAK" in found.seen
    assert found.remedy == "rename HADRON_KAFAK to HADRON_KAFKA"


def test_a_variable_that_is_like_none_of_ours_is_a_warning_only() -> None:
    found = variables.unknown({"HADRON_DATABASE_PORT": "tcp://10.0.0.1:5432"})

    assert (found.ok, found.severity) == (False, "warning")


@pytest.mark.parametrize(
    ("free", "total", "severity"),
    [(GIB - 1, 500 * GIB, "error"), (3 * GIB, 500 * GIB, "warning"), (3 * GIB, 20 * GIB, "info")],
)
def test_a_disk_is_judged_by_what_is_left(free: int, total: int, severity: str) -> None:
    found = machine.room(Path("/data"), free=free, total=total)

    assert found.severity == severity
    assert found.ok == (severity == "info")


def test_the_disk_of_a_directory_that_does_not_exist_yet_is_that_of_its_parent(
    tmp_path: Path,
) -> None:
    assert str(tmp_path / "a/b") in machine.disk(tmp_path / "a/b").seen


@pytest.mark.parametrize(
    ("server_ns", "severity", "seen"),
    [
        (100 * S, "info", "agrees"),
        (101 * S, "info", "agrees"),
        (99 * S, "warning", "1.000 s ahead of Redis"),
        (104 * S, "error", "3.000 s behind Redis"),
        (10 * S, "error", "90.000 s ahead of Redis"),
    ],
)
def test_a_clock_is_off_by_what_the_time_of_asking_does_not_explain(
    server_ns: int, severity: str, seen: str
) -> None:
    found = clock.agreement("Redis", server_ns=server_ns, before_ns=100 * S, after_ns=101 * S)

    assert found.severity == severity
    assert seen in found.seen


def test_the_installed_schemas_are_those_of_the_catalogue() -> None:
    assert contracts.catalogue().ok


def test_a_schema_that_was_changed_and_not_released_is_an_error() -> None:
    current = {name: schemas.fingerprint(schemas.load(name)) for name in schemas.names()}

    found = contracts.catalogue(current | {"order_filled": "other"})

    assert found.failed
    assert "order_filled" in found.seen
    assert "python -m schemas" in found.remedy
