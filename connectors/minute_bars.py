"""Bars from recordings in the folder format of the LEAN engine: its own, or made of its ticks."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

import numpy as np

from connectors.tapes import NEW_YORK, tape
from hadron.errors import ContractError, SettingsError
from hadron.market.barring import bars_of
from hadron.market.bars import Bars, Longs
from hadron.venues.massive.parse import parse
from hadron.venues.parsed import ParsedTrade

FOLDER = "us_equity_minute_bars"
SCALE = 4
MINUTE_NS = 60 * 10**9
COLUMNS = 6  # ms since midnight in New York; open, high, low, close; volume
_NAME = re.compile(r"([a-z0-9.]+)_(\d{8})_trade\.zip")


def minute_bars(folder: Path, symbol: str) -> Bars:
    """All minute bars of trades of one symbol, any case, in the order of their times.

    `folder` is a `us_equity_minute_bars` or holds one. Raise SettingsError if it has none of the
    symbol, ContractError if a file cannot be read.
    """
    files = _files(folder).get(symbol.lower())
    if not files:
        raise SettingsError(
            [
                f"--tape: {str(folder)!r} has no minute bars of {symbol!r}; wanted files as"
                f" {symbol.lower()}_20131007_trade.zip"
            ]
        )
    return _of_days(symbol, files)


def all_minute_bars(folder: Path) -> Iterator[Bars]:
    """The same of each symbol that the folder has, in the order of their names.

    Raise SettingsError if there is none, ContractError if a file cannot be read.
    """
    found = _files(folder)
    if not found:
        raise SettingsError(
            [f"--tape: {str(folder)!r} has no minute bars; wanted files as aig_20131007_trade.zip"]
        )
    for symbol in sorted(found):
        yield _of_days(symbol, found[symbol])


def tick_bars(folder: Path, symbol: str, *, width_ns: int) -> Bars:
    """Bars of the recorded trades of one symbol, those flagged as suspicious left out.

    Raise SettingsError if the folder has no ticks of it.
    """
    played = tape(folder, symbols=[symbol], kinds=["trade"])
    events = (parse(one.element) for one in played)
    trades = (one for one in events if isinstance(one, ParsedTrade) and not one.suspect)
    return bars_of(f"eq:{symbol.upper()}", trades, width_ns=width_ns)


def _files(folder: Path) -> dict[str, dict[str, Path]]:
    """The files by symbol, in lower case, and day."""
    inner = folder / FOLDER
    found: dict[str, dict[str, Path]] = {}
    for path in (inner if inner.is_dir() else folder).glob("*.zip"):
        if name := _NAME.fullmatch(path.name):
            found.setdefault(name[1], {})[name[2]] = path
    return found


def _of_days(symbol: str, files: Mapping[str, Path]) -> Bars:
    return _bars(symbol.upper(), [_day(day, files[day]) for day in sorted(files)])


def _bars(symbol: str, days: Sequence[Longs]) -> Bars:
    at_ns, opening, high, low, close, volume = np.concatenate(days).T.copy()
    return Bars(
        instrument=f"eq:{symbol}",
        scale=SCALE,
        width_ns=MINUTE_NS,
        at_ns=at_ns,
        open=opening,
        high=high,
        low=low,
        close=close,
        volume=volume,
    )


def _day(day: str, path: Path) -> Longs:
    """The rows of one file, their times since the epoch, in ns."""
    noon = datetime.strptime(day, "%Y%m%d").replace(hour=12, tzinfo=NEW_YORK)
    midnight_ns = (int(noon.timestamp()) - 12 * 3600) * 10**9  # clocks change before 4:00
    try:
        with zipfile.ZipFile(path) as archive, archive.open(archive.namelist()[0]) as member:
            rows = np.loadtxt(member, np.int64, delimiter=",", ndmin=2)
    except (ValueError, zipfile.BadZipFile) as error:
        raise ContractError(f"tape: {path.name}: {error}") from error
    if rows.shape[1] != COLUMNS:
        raise ContractError(
            f"tape: {path.name}: {rows.shape[1]} fields a row; {COLUMNS} are wanted"
        )
    rows[:, 0] = midnight_ns + rows[:, 0] * 10**6
    return rows
