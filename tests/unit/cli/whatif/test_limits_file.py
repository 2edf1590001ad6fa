"""The file of other limits is what `hadron control show --json` prints."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from hadron.cli.whatif.limits_file import read_limits
from hadron.errors import SettingsError


def a_file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "limits.json"
    path.write_text(text)
    return path


def test_what_control_shows_is_read_and_other_subjects_are_passed_over(tmp_path: Path) -> None:
    shown = """{
        "limits/main": {"kind": "LimitsChanged", "everywhere": true, "fact": {
            "author": "ada", "reason": "start", "at_ns": 1, "version": 3, "portfolio": "main",
            "position": "500", "notional": "50000.5", "exposure": "100000"}},
        "rules": {"kind": "RulesChanged", "everywhere": true, "fact": {}}}"""

    found = read_limits(a_file(tmp_path, shown))

    assert found.keys() == {"main"}
    limits = found["main"]
    assert (limits.portfolio, limits.position, limits.notional, limits.exposure) == (
        "main",
        Decimal(500),
        Decimal("50000.5"),
        Decimal(100_000),
    )


def test_a_person_may_write_the_three_numbers_alone(tmp_path: Path) -> None:
    text = '{"limits/a/b": {"position": 1, "notional": "2.5", "exposure": "3"}}'

    assert read_limits(a_file(tmp_path, text))["a/b"].notional == Decimal("2.5")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nonsense", "malformed"),
        ("{}", "has no limits of any portfolio"),
        ('{"limits/main": {"position": "1", "notional": "2"}}', "limits/main: Object missing"),
        ('{"limits/main": 3}', "limits/main: Expected `object`"),
        (
            '{"limits/main": {"position": "-1", "notional": "2", "exposure": "3"}}',
            "position is -1, wanted a number, 0 or more",
        ),
        (
            '{"limits/main": {"position": "NaN", "notional": "2", "exposure": "3"}}',
            "position is NaN",
        ),
    ],
)
def test_another_file_is_refused_with_what_is_wanted(tmp_path: Path, text: str, said: str) -> None:
    path = a_file(tmp_path, text)

    with pytest.raises(SettingsError) as refused:
        read_limits(path)

    assert f"--limits: {path}: " in str(refused.value)
    assert said in str(refused.value)
    assert '; wanted {"limits/<portfolio>"' in str(refused.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"limits\.json: No such file"):
        read_limits(tmp_path / "limits.json")
