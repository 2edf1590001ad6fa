"""`hadron backtest` as people type it, on what needs no server."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from hadron.__main__ import run
from hadron.cli.exits import Exit

GUIDE = Path(__file__).parents[4] / "docs/backtesting.md"
TOUR = re.findall(r"^```sh\n(.*?)^```", GUIDE.read_text("utf-8"), re.DOTALL | re.MULTILINE)[0]

PEEKING = '''
from hadron.strategy.sma import SimpleSMA

highest = 0

class Peeking(SimpleSMA):
    """Sells only at the highest price of all, which it knows from the run before."""

    def on_trade(self, trade, book):
        global highest
        known, highest = highest, max(highest, trade.price)
        signal = super().on_trade(trade, book)
        return signal if trade.price >= known else None
'''


def document(capsys: pytest.CaptureFixture[str], *words: str, code: int = Exit.OK) -> Any:
    assert run(["backtest", *words, "--json"], {}) == code
    return json.loads(capsys.readouterr().out)


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert run(["backtest", *words], {}) == Exit.SETTINGS
    return " ".join(capsys.readouterr().err.split())


def test_the_tour_can_be_walked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)

    for line in TOUR.splitlines():
        assert run(shlex.split(line)[1:], {}) == Exit.OK, line
        assert capsys.readouterr().out, line

    assert {path.name for path in tmp_path.iterdir()} == {"result.json", "report.html"}


def test_the_same_seed_gives_the_same_and_another_another(
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = ("SimpleSMA", "--scenario", "gap", "--for", "60", "--seed")

    one, again, other = (document(capsys, *words, seed) for seed in ("1", "1", "2"))

    assert one == again
    assert one["sha256"] != other["sha256"]
    assert one["decisions"] > 0


def test_run_may_be_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    words = ("SimpleSMA", "--scenario", "calm", "--for", "30")

    assert document(capsys, *words) == document(capsys, "run", *words)


def test_what_is_written_is_all_of_it(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    out = tmp_path / "all.json"

    found = document(
        capsys, "SimpleSMA", "--scenario", "flash-crash", "--for", "60", "--out", str(out)
    )

    whole = json.loads(out.read_bytes())
    assert len(whole["decisions"]) == found["decisions"] > 0
    assert len(whole["fills"]) == found["fills"] > 0
    assert whole["sha256"] == found["sha256"]
    assert whole["equity"][-1]["equity"] == found["equity"]["main"]


def test_a_strategy_of_ones_own_runs_and_is_found_peeking(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "mine.py").write_text(PEEKING, "utf-8")
    words = (f"{tmp_path / 'mine.py'}:Peeking", "--scenario", "calm", "--for", "120")

    ran = document(capsys, *words)
    found = document(capsys, "check", *words, code=Exit.CHECK_FAILED)

    assert ran["run"]["strategies"].keys() == {"Peeking"}
    assert {one["trial"] for one in found["differences"]} >= {"repeated", "truncated"}


def test_a_sound_strategy_passes_the_check(capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys, "check", "SimpleSMA", "--scenario", "calm", "--for", "120")

    assert found["differences"] == []
    assert found["decisions"] > 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("SimpleSMA",), "source: none given; wanted one of --tape, --parquet"),
        (
            ("SimpleSMA", "--scenario", "gap", "--topic", "raw"),
            "source: --topic, --scenario given; wanted one",
        ),
        (("Nobody", "--scenario", "gap"), "STRATEGY: 'Nobody'; wanted one of SimpleSMA"),
        (("no.py:Mine", "--scenario", "gap"), "'no.py' is no file of Python"),
        (("live", "--scenario", "gap"), "STRATEGY: live is what the log has; wanted --topic"),
        (("SimpleSMA", "--scenario", "quake"), "--scenario: 'quake'; wanted one of calm, gap"),
        (("SimpleSMA", "--scenario", "gap", "--fees", "dear"), "--fees: 'dear'; wanted one of"),
        (("SimpleSMA", "--scenario", "gap", "--set", "fast=1"), "unknown field"),
        (("SimpleSMA", "--tape", "nowhere"), "tape: 'nowhere' has no ticks"),
        (("SimpleSMA", "--scenario", "gap", "--out", "/no/such"), "--out: '/no/such'"),
    ],
)
def test_what_cannot_be_run_is_refused_by_name_value_and_wish(
    words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said in refused(capsys, *words)
