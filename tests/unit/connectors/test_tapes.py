"""Recorded ticks become Massive's events: merged in time, exact, flagged."""

from __future__ import annotations

import os
import zipfile
from itertools import islice, pairwise
from pathlib import Path

import pytest

from connectors.tapes import tape
from hadron.errors import ContractError, SettingsError
from hadron.venues.massive.parse import parse
from hadron.venues.parsed import ParsedQuote, ParsedTrade

MIDNIGHT_MS = 1_381_118_400_000  # 2013-10-07T00:00 in New York, 04:00 UTC


def a_tape(folder: Path, **files: str) -> Path:
    """A folder with the given rows, by `symbol_day_kind`."""
    inner = folder / "us_equity_ticks"
    inner.mkdir()
    for name, rows in files.items():
        with zipfile.ZipFile(inner / f"{name}.zip", "w") as archive:
            archive.writestr(f"{name}.csv", rows)
    return folder


def test_a_trade_is_exact_in_utc_and_in_the_venues_ids(tmp_path: Path) -> None:
    folder = a_tape(tmp_path, aig_20131007_trade="14400688,491800,300,P,20002020,0\n")

    [event] = tape(folder)

    assert (event.at_ms, event.topic, event.symbol) == (MIDNIGHT_MS + 14_400_688, "T.AIG", "AIG")
    assert b'"x":11' in event.element
    assert parse(event.element) == ParsedTrade(
        (MIDNIGHT_MS + 14_400_688) * 10**6, 1, 4918, 2, 300, 0, (12, 14, 41), False
    )


def test_a_suspicious_row_is_kept_and_flagged(tmp_path: Path) -> None:
    folder = a_tape(
        tmp_path,
        aig_20131007_quote="1,10000,1,0,0,Q,1,1\n",
        aig_20131007_trade="2,10000,1,Q,1,1\n",
    )

    ticks = [parse(event.element) for event in tape(folder)]

    assert [tick and tick.suspect for tick in ticks] == [True, True]


def test_a_quote_without_a_side_leaves_it_out(tmp_path: Path) -> None:
    folder = a_tape(tmp_path, aig_20131007_quote="1,0,0,494100,300,Q,1,0\n")

    [event] = tape(folder)

    assert b'"bp"' not in event.element
    assert parse(event.element) == ParsedQuote(
        (MIDNIGHT_MS + 1) * 10**6, 1, 0, 4941, 2, 0, 300, 0, False
    )


def test_files_are_merged_in_time_and_one_sequence_grows_per_symbol(tmp_path: Path) -> None:
    folder = a_tape(
        tmp_path,
        b_20131007_trade="5,10000,1,Q,1,0\n5,20000,1,Q,1,0\n7,30000,1,Q,1,0\n",
        b_20131007_quote="5,40000,1,0,0,Q,1,0\n6,50000,1,0,0,Q,1,0\n",
        a_20131007_trade="5,60000,1,Q,1,0\n6,70000,1,Q,1,0\n",
        a_20131008_trade="1,80000,1,Q,1,0\n",
    )

    events = list(tape(folder))

    ticks = [parse(event.element) for event in events]
    seen = [
        (event.topic, tick.price if isinstance(tick, ParsedTrade) else tick.bid, tick.sequence)
        for event, tick in zip(events, ticks, strict=True)
        if tick
    ]
    assert seen == [
        ("T.A", 6, 1),
        ("Q.B", 4, 1),
        ("T.B", 1, 2),
        ("T.B", 2, 3),
        ("T.A", 7, 2),
        ("Q.B", 5, 4),
        ("T.B", 3, 5),
        ("T.A", 8, 3),
    ]


def test_symbols_and_days_narrow_a_tape(tmp_path: Path) -> None:
    row = "1,10000,1,Q,1,0\n"
    folder = a_tape(tmp_path, a_20131007_trade=row, b_20131007_trade=row, a_20131008_trade=row)

    assert [event.topic for event in tape(folder, symbols=["A"])] == ["T.A", "T.A"]
    assert [event.topic for event in tape(folder, days=["20131007"])] == ["T.A", "T.B"]


def test_the_inner_folder_may_be_named_itself(tmp_path: Path) -> None:
    folder = a_tape(tmp_path, a_20131007_trade="1,10000,1,Q,1,0\n")

    assert len(list(tape(folder / "us_equity_ticks"))) == 1


def test_a_winter_day_is_another_hour_from_utc(tmp_path: Path) -> None:
    folder = a_tape(tmp_path, a_20131202_trade="0,10000,1,Q,1,0\n")

    [event] = tape(folder)

    assert event.at_ms == 1_385_960_400_000  # 05:00 UTC


@pytest.mark.parametrize("narrowed", [{"symbols": ["X"]}, {"days": ["20990101"]}])
def test_a_tape_of_nothing_is_refused_at_once(
    tmp_path: Path, narrowed: dict[str, list[str]]
) -> None:
    folder = a_tape(tmp_path, a_20131007_trade="1,10000,1,Q,1,0\n")

    with pytest.raises(SettingsError, match="has no ticks"):
        tape(folder, **narrowed)


@pytest.mark.parametrize(
    "row", ["1,10000,1,Q,1", "x,10000,1,Q,1,0", "1,ten,1,Q,1,0", "1,1,1,?,1,0", "1,1,1,Q,xyz,0"]
)
def test_a_row_that_cannot_be_read_is_named(tmp_path: Path, row: str) -> None:
    folder = a_tape(tmp_path, a_20131007_trade=f"{row}\n")

    with pytest.raises(ContractError, match=r"tape"):
        list(tape(folder))


def test_the_real_tape_is_in_order_and_readable() -> None:
    folder = os.environ.get("HADRON_TAPES")
    if not folder:
        pytest.skip("HADRON_TAPES is not set: the recorded ticks are not in the repository")

    events = list(islice(tape(Path(folder), days=["20131008"], symbols=["spy", "ibm"]), 20_000))

    assert all(one.at_ms <= other.at_ms for one, other in pairwise(events))
    assert all(parse(event.element) for event in events)
    assert {event.topic for event in events} >= {"T.SPY", "Q.IBM"}
