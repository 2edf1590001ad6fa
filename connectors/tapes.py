"""Recorded ticks in the folder format of the LEAN engine, as events of Massive."""

from __future__ import annotations

import heapq
import re
import zipfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from io import TextIOWrapper
from itertools import count, groupby
from operator import attrgetter, itemgetter
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from hadron.errors import ContractError, SettingsError
from hadron.simulation.played import Played
from hadron.venues.massive import elements
from hadron.venues.massive.parse import SUSPICIOUS

NEW_YORK = ZoneInfo("America/New_York")
FOLDER = "us_equity_ticks"
TEN_THOUSAND = 10_000
_NAME = re.compile(r"([a-z0-9.]+)_(\d{8})_(quote|trade)\.zip")

# LEAN's condition flags, by bit (`TradeConditionFlags`), to Massive's condition ids
# (`/v3/reference/conditions`). A bit that is not here has no counterpart.
CONDITIONS: Mapping[int, int] = {
    0: 0,  # regular
    1: 7,  # cash
    2: 20,  # next day
    3: 29,  # seller
    4: 36,  # yellow flag
    5: 14,  # intermarket sweep
    6: 25,  # opening print
    7: 8,  # closing print
    8: 28,  # reopening print
    9: 10,  # derivatively priced
    10: 12,  # form T
    11: 30,  # sold last
    12: 27,  # stopped
    13: 12,  # extended hours, which Massive and the tapes call form T
    14: 13,  # form T out of sequence
    15: 34,  # split
    16: 1,  # acquisition
    17: 4,  # bunched
    18: 35,  # stock option
    19: 11,  # distribution
    20: 2,  # average price
    21: 9,  # cross
    22: 21,  # price variation
    23: 23,  # rule 155
    24: 15,  # official close
    25: 22,  # prior reference price
    26: 16,  # official open
    27: 6,  # CAP election
    28: 3,  # automatic execution
    29: 41,  # trade through exempt
    31: 37,  # odd lot
}


class _File(NamedTuple):
    day: str
    symbol: str
    kind: str
    path: Path


def tape(
    folder: Path,
    *,
    symbols: Collection[str] = (),
    days: Collection[str] = (),
    kinds: Collection[str] = ("quote", "trade"),
) -> Iterator[Played]:
    """All events of a folder in time order; of equal ms, by symbol, quotes first, as in the file.

    `folder` is a `us_equity_ticks` or holds one; `symbols` (any case), `days` (yyyymmdd) and
    `kinds` narrow it. Sequence numbers increase per symbol over all days. Raise SettingsError at
    once if nothing fits, ContractError while reading if a row cannot be read.
    """
    wanted = {symbol.upper() for symbol in symbols}
    files = [
        file
        for file in _files(folder)
        if (not wanted or file.symbol in wanted)
        and (not days or file.day in days)
        and file.kind in kinds
    ]
    if not files:
        narrowed = f"symbols {sorted(wanted) or 'all'}, days {sorted(days) or 'all'}"
        raise SettingsError([f"tape: {str(folder)!r} has no ticks of {narrowed}"])
    return _events(files)


def _files(folder: Path) -> list[_File]:
    inner = folder / FOLDER
    found = []
    for path in (inner if inner.is_dir() else folder).glob("*.zip"):
        if name := _NAME.fullmatch(path.name):
            symbol, day, kind = name.groups()
            found.append(_File(day, symbol.upper(), kind, path))
    return sorted(found)


# Makes an event from its time, its sequence number and the fields of its row.
_Make = Callable[[int, int, list[str]], Played]


def _events(files: Sequence[_File]) -> Iterator[Played]:
    sequences = {file.symbol: count(1) for file in files}
    for _, of_day in groupby(files, key=attrgetter("day")):
        rows = [_rows(file, sequences[file.symbol]) for file in of_day]
        for at_ms, make, sequence, fields in heapq.merge(*rows, key=itemgetter(0)):
            try:
                yield make(at_ms, next(sequence), fields)
            except (ValueError, KeyError) as error:
                kind = type(error).__name__
                raise ContractError(f"tape: not a row: {fields}: {kind} {error}") from error


def _rows(
    file: _File, sequence: Iterator[int]
) -> Iterator[tuple[int, _Make, Iterator[int], list[str]]]:
    """The rows of one file, in its order. Of a bad one the file and line are named."""
    noon = datetime.strptime(file.day, "%Y%m%d").replace(hour=12, tzinfo=NEW_YORK)
    midnight_ms = int(noon.timestamp() - 12 * 3600) * 1_000  # clocks change before 4:00
    make = (_trade if file.kind == "trade" else _quote)(file.symbol)
    width = 6 if file.kind == "trade" else 8
    with zipfile.ZipFile(file.path) as archive, archive.open(archive.namelist()[0]) as member:
        for number, line in enumerate(TextIOWrapper(member, "ascii"), 1):
            fields = line.rstrip().split(",")
            if len(fields) != width or not fields[0].isdigit():
                raise ContractError(
                    f"tape: {file.path.name} line {number}: {line[:80]!r}; {width} fields wanted"
                )
            yield midnight_ms + int(fields[0]), make, sequence, fields


def _trade(symbol: str) -> _Make:
    topic = f"T.{symbol}"

    def make(at_ms: int, sequence: int, fields: list[str]) -> Played:
        _, price, size, exchange, flags, suspicious = fields
        element = elements.trade(
            symbol,
            _price(price),
            int(size),
            at_ms=at_ms,
            sequence=sequence,
            exchange=elements.EXCHANGES[exchange],
            conditions=_conditions(flags, suspicious),
        )
        return Played(at_ms, topic, element)

    return make


def _quote(symbol: str) -> _Make:
    topic = f"Q.{symbol}"

    def make(at_ms: int, sequence: int, fields: list[str]) -> Played:
        _, bid, bid_size, ask, ask_size, exchange, _, suspicious = fields
        element = elements.quote(
            symbol,
            (_price(bid), int(bid_size)) if bid != "0" else None,
            (_price(ask), int(ask_size)) if ask != "0" else None,
            at_ms=at_ms,
            sequence=sequence,
            exchange=elements.EXCHANGES[exchange],
            condition=SUSPICIOUS if suspicious != "0" else 0,
        )
        return Played(at_ms, topic, element)

    return make


@lru_cache(maxsize=65_536)
def _price(ten_thousandths: str) -> str:
    """491800 is 49.18; without trailing zeros, as JSON numbers come."""
    whole, fraction = divmod(int(ten_thousandths), TEN_THOUSAND)
    return f"{whole}.{fraction:04d}".rstrip("0").rstrip(".")


@lru_cache(maxsize=4096)
def _conditions(flags: str, suspicious: str) -> tuple[int, ...]:
    bits = int(flags, 16)
    known = {massive for bit, massive in CONDITIONS.items() if bits >> bit & 1}
    return (*sorted(known), *([SUSPICIOUS] if suspicious != "0" else []))
