"""`hadron backtest bars`, `search` and `scan`, as scripts meet them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hadron.__main__ import run
from hadron.cli.exits import Exit
from tests.unit.connectors.test_minute_bars import write

COMMON = ("SMACross", "--instrument", "eq:AIG", "--tape")
RANGES = ("--param", "fast=2:8:2", "--param", "slow=10:20:5")


@pytest.fixture
def tape(tmp_path: Path) -> Path:
    """Two days of a market that goes up and down."""
    for day in ("20131007", "20131008"):
        rows = []
        for minute in range(390):
            price = 500_000 + 100 * abs(minute % 60 - 30) + 7 * (minute % 11)
            ms = 34_200_000 + minute * 60_000
            rows.append(f"{ms},{price},{price + 50},{price - 50},{price + 10},100\n")
        write(tmp_path, f"aig_{day}_trade", "".join(rows))
    return tmp_path


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert run(["backtest", *arguments, "--json"], {}) == Exit.OK
    return json.loads(capsys.readouterr().out)


def test_a_run_reports_figures_and_trades(
    tape: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    html = tmp_path / "report.html"
    arguments = ("bars", *COMMON, str(tape), "--set", "fast=3", "--set", "slow=12")

    report = said(capsys, *arguments, "--fees", "per-share:0.01", "--html", str(html))

    assert report["run"]["parameters"] == {"fast": 3, "slow": 12, "quantity": "100"}
    assert report["run"]["bars"] == 780
    assert report["figures"]["trades"] == len(report["trades"]) > 5
    [share] = report["attribution"]
    assert float(share["net"]) == pytest.approx(report["figures"]["profit"])
    assert float(share["fees"]) == share["fills"]  # a cent for each of a hundred
    assert html.read_text("utf-8").startswith("<!doctype html>")


def test_a_span_of_time_narrows_the_bars(tape: Path, capsys: pytest.CaptureFixture[str]) -> None:
    span = ("--from", "2013-10-08T13:30:00Z", "--to", "2013-10-08T14:30:00Z")

    report = said(capsys, "bars", *COMMON, str(tape), *span)

    assert (report["run"]["bars"], report["run"]["to"]) == (60, "2013-10-08 14:30:00+00:00")


def test_a_search_ranks_and_walks_forward(tape: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("search", *COMMON, str(tape), *RANGES, "--walk-forward", "2")

    found = said(capsys, *arguments, "--metric", "profit", "--best", "4", "--jobs", "1")

    profits = [one["in_sample"]["profit"] for one in found["best"]]
    assert (found["tried"], len(profits)) == (12, 4)
    assert profits == sorted(profits, reverse=True)
    assert [set(step["values"]) for step in found["walk"]] == [{"fast", "slow"}] * 2
    tests = [step["test"]["profit"] for step in found["walk"]]
    assert found["out_of_sample"]["profit"] == pytest.approx(sum(tests))


def test_the_same_seed_draws_the_same(tape: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("search", *COMMON, str(tape), *RANGES, "--random", "5", "--seed", "11")

    first, second = (said(capsys, *arguments) for _ in range(2))

    assert first == second
    assert first["tried"] == 5


def test_tables_say_what_is_in_sample(tape: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["search", *COMMON, str(tape), *RANGES, "--walk-forward", "2"]

    assert run(["backtest", *arguments], {}) == Exit.OK

    shown = capsys.readouterr()
    assert "IN-SAMPLE: chosen" in shown.out
    assert "sharpe OUT-OF-SAMPLE" in shown.out
    assert "trials: 12 of 12" in shown.err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("bars", "Magic"), "STRATEGY: 'Magic'; wanted one of Crossover, SMACross, SimpleSMA"),
        (("bars", "SMACross", "--set", "fast"), "--set: 'fast'; wanted name=value"),
        (("bars", "SMACross", "--set", "fast=x"), "--set: SMACross: Expected `int`"),
        (("bars", "SMACross", "--fees", "free"), "--fees: 'free'; on bars wanted none"),
        (("bars", "SMACross", "--every", "1h"), "--every: '1h'; wanted 1m"),
        (("bars", "SMACross", "--from", "2020-01-01"), "no bar of 'eq:AIG' in that time"),
        (("bars", "SMACross", "--html", "/no/where"), "--html: '/no/where': No such file"),
        (("search", "SMACross", "--param", "fast"), "--param: 'fast'; wanted name=first:last"),
        (
            ("search", "SMACross", "--param", "fast=1", "--metric", "luck"),
            "--metric: 'luck'; wanted one of sharpe, sortino",
        ),
        (
            ("search", "SMACross", "--param", "fast=1", "--walk-forward", "9999"),
            "--walk-forward: 9999 tests and 3 spans to train on; there are only 780 bars",
        ),
    ],
)
def test_what_is_wrong_with_a_command_is_named_and_ends_with_4(
    tape: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], sentence: str
) -> None:
    said = ["backtest", *arguments, "--instrument", "eq:AIG", "--tape", str(tape)]

    assert run(said, {}) == Exit.SETTINGS

    assert sentence in capsys.readouterr().err


def test_a_tape_has_stocks_only(tape: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = ["backtest", "bars", "SMACross", "--instrument", "crypto:BTC-USD", "--tape", str(tape)]

    assert run(said, {}) == Exit.SETTINGS

    assert "--instrument: 'crypto:BTC-USD'; wanted a stock, as eq:SPY" in capsys.readouterr().err


def test_a_scan_lists_the_instruments_with_a_new_signal(
    tape: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flat = "".join(f"{34_200_000 + n * 60_000},100,100,100,100,7\n" for n in range(390))
    write(tape, "flat_20131008_trade", flat)

    found = said(
        capsys, "scan", "SimpleSMA", "--tape", str(tape), "--within", "390", "--bars", "50"
    )

    assert (found["scanned"], found["found"]) == (2, 1)
    [hit] = found["hits"]
    assert (hit["instrument"], hit["side"], hit["bars_ago"]) == ("eq:AIG", "sell", 27)


def test_a_scan_says_what_a_run_on_the_same_bars_does(
    tape: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parameters = ("--set", "fast=3", "--set", "slow=12", "--from", "2013-10-08T00:00:00Z")

    [hit] = said(
        capsys,
        "scan",
        "SMACross",
        "--tape",
        str(tape),
        *parameters,
        "--bars",
        "390",
        "--within",
        "390",
    )["hits"]
    report = said(capsys, "bars", *COMMON, str(tape), *parameters)

    # A wish at a close is filled at the next open, which is at the same time.
    last = report["trades"][-1]
    assert (last["closed_ns"], last["side"], hit["side"]) == (hit["at_ns"], "buy", "sell")


def test_a_scan_of_a_folder_without_bars_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["backtest", "scan", "SimpleSMA", "--tape", str(tmp_path)], {}) == Exit.SETTINGS

    assert "has no minute bars; wanted files as" in capsys.readouterr().err
