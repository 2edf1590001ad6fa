"""`hadron backtest report`."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from hadron.__main__ import run
from hadron.backtest.report.report import report
from hadron.cli.exits import Exit
from tests.unit.backtest.report.test_report import a_result


@pytest.fixture
def written(tmp_path: Path) -> Path:
    path = tmp_path / "result.json"
    path.write_bytes(msgspec.json.encode(a_result()))
    return path


def test_a_written_result_is_reported_as_the_result_itself(
    written: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    html = written.with_suffix(".html")

    assert run(["backtest", "report", str(written), "--json", "--html", str(html)], {}) == Exit.OK

    said = json.loads(capsys.readouterr().out)
    assert said == msgspec.json.decode(msgspec.json.encode(report(a_result())))
    assert "<title>sma</title>" in html.read_text("utf-8")


def test_tables_show_who_earned_what(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["backtest", "report", str(written)], {}) == Exit.OK

    assert "By strategy and instrument" in capsys.readouterr().out


def test_a_file_that_is_no_result_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "x.json").write_text('{"run": 1}')

    assert run(["backtest", "report", str(tmp_path / "x.json")], {}) == Exit.FAILED
    assert run(["backtest", "report", str(tmp_path / "none")], {}) == Exit.SETTINGS

    said = capsys.readouterr().err
    assert "x.json' is no result of a backtest: Expected `object`" in said
    assert "FILE: " in said
