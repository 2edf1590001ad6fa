"""Recorded minute bars, and bars made of recorded ticks."""

from __future__ import annotations

import os
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connectors.minute_bars import MINUTE_NS, SCALE, minute_bars, tick_bars
from hadron.errors import ContractError, SettingsError
from hadron.market.barring import bars_of
from tests.support import a_trade

ROWS = "34200000,491800,491900,491700,491800,300\n34320000,488700,488700,488300,488300,3200\n"


def write(folder: Path, name: str, text: str) -> None:
    inner = folder / "us_equity_minute_bars"
    inner.mkdir(exist_ok=True)
    with zipfile.ZipFile(inner / f"{name}.zip", "w") as archive:
        archive.writestr(f"{name}.csv", text)


def test_days_follow_each_other_in_the_time_of_new_york(tmp_path: Path) -> None:
    write(tmp_path, "aig_20131008_trade", ROWS)
    write(tmp_path, "aig_20130104_trade", ROWS)
    write(tmp_path, "aig_20131008_quote", "1,2\n")
    write(tmp_path, "bac_20131008_trade", ROWS)

    bars = minute_bars(tmp_path, "AIG")

    begins = [datetime.fromtimestamp(ns / 1e9, UTC) for ns in bars.at_ns.tolist()]
    assert [f"{at:%m-%d %H:%M}" for at in begins] == [
        *("01-04 14:30", "01-04 14:32"),  # winter
        *("10-08 13:30", "10-08 13:32"),
    ]
    assert (bars.instrument, bars.scale, bars.width_ns) == ("eq:AIG", SCALE, MINUTE_NS)
    assert bars.close.tolist() == [491_800, 488_300] * 2
    assert minute_bars(tmp_path / "us_equity_minute_bars", "aig").volume.tolist() == [300, 3200] * 2


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ("1,2,x,4,5,6\n", "aig_20131008_trade.zip: .*'x'"),
        ("1,2,3\n", "aig_20131008_trade.zip: 3 fields a row; 6 are wanted"),
        ("1,5,4,5,5,6\n", "bars of eq:AIG: bar 0 .*wanted high at the highest"),
        (ROWS + ROWS, "bars of eq:AIG: bar 2 .*wanted times that rise"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, rows: str, sentence: str) -> None:
    write(tmp_path, "aig_20131008_trade", rows)

    with pytest.raises(ContractError, match=sentence):
        minute_bars(tmp_path, "aig")


def test_a_file_that_is_no_archive_is_named(tmp_path: Path) -> None:
    (tmp_path / "aig_20131008_trade.zip").write_bytes(b"no")

    with pytest.raises(ContractError, match=r"tape: aig_20131008_trade\.zip: "):
        minute_bars(tmp_path, "aig")


def test_a_symbol_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no minute bars of 'SPY'; wanted files as spy_"):
        minute_bars(tmp_path, "SPY")


def test_bars_of_trades_have_one_scale_and_leave_out_what_did_not_trade() -> None:
    at_ns = 1_700_000_040 * 10**9  # a whole minute
    trades = [
        a_trade("10", at_ns=at_ns, size=5),
        a_trade("9.75", at_ns=at_ns + 1, size=25, size_scale=1),
        a_trade("0", at_ns=at_ns + 2),
        a_trade("10.5", at_ns=at_ns + MINUTE_NS - 1),
        a_trade("11", at_ns=at_ns + 3 * MINUTE_NS),
    ]

    bars = bars_of("eq:AAPL", trades, width_ns=MINUTE_NS)

    rows = zip(bars.at_ns, bars.open, bars.high, bars.low, bars.close, bars.volume, strict=True)
    assert [tuple(map(int, row)) for row in rows] == [
        (at_ns, 1000, 1050, 975, 1050, 107),
        (at_ns + 3 * MINUTE_NS, 1100, 1100, 1100, 1100, 100),
    ]
    assert bars.scale == 2


def test_no_trades_are_no_bars() -> None:
    assert len(bars_of("eq:AAPL", [], width_ns=MINUTE_NS)) == 0


@pytest.fixture
def tapes() -> Path:
    folder = os.environ.get("HADRON_TAPES")
    if not folder:
        pytest.skip("HADRON_TAPES is not set: the recorded ticks are not in the repository")
    return Path(folder)


def test_the_recorded_bars_of_two_days_can_be_read(tapes: Path) -> None:
    bars = minute_bars(tapes, "SPY")

    days = {datetime.fromtimestamp(ns / 1e9, UTC).date().isoformat() for ns in bars.at_ns.tolist()}
    assert {"2013-10-07", "2013-10-08"} <= days
    assert len(bars) > 2 * 390


def test_bars_made_of_the_recorded_ticks_are_near_the_vendors(tapes: Path) -> None:
    """Not equal: the vendor's filters are its own."""
    made = tick_bars(tapes, "AIG", width_ns=MINUTE_NS)
    vendors = minute_bars(tapes, "AIG")

    closes = dict(zip(made.at_ns.tolist(), (made.close / made.unit).tolist(), strict=True))
    common = [
        abs(closes[at] / close - 1)
        for at, close in zip(
            vendors.at_ns.tolist(), (vendors.close / vendors.unit).tolist(), strict=True
        )
        if at in closes
    ]
    assert len(common) > 700
    assert sorted(common)[len(common) // 2] < 1e-4
