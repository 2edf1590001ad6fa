"""Leaves of ticks, many at once: rows as COPY's own bytes, numbers by columns, one hash each.

A row that is not of the plain kind (kept whole, or not as the archive writes rows) is left to
`expectation.leaf_of`, which takes ten times as long.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Any, NamedTuple

import numpy as np

from connectors.timescale import ticks
from connectors.timescale.binary import EPOCH_US, fields_of, integers_of
from connectors.timescale.connection import Connection
from connectors.timescale.kept import version_of
from connectors.timescale.verifying import bulk, numerics
from connectors.timescale.verifying.longs import Longs, longs_of_rows
from connectors.timescale.verifying.rereading import Range
from hadron.audit.leaves import Leaves
from hadron.audit.verification import Slice
from hadron.avro.shape import MOST_RUNS
from hadron.envelope import HEAD
from hadron.errors import ContractError
from hadron.market.facts import QuoteChanged, TradePrinted
from hadron.ports import Codec

_LONGS = ("at", "log_offset", "raw_offset", "at_ns", "seen_ns", "sequence")
_SMALL = ("raw_partition", "price_scale", "size_scale")
_PRICES, _QUOTED = ("price", "size"), ("bid", "ask", "bid_size", "ask_size")
_TEXTS = ("kind", "instrument", "venue", "quality", "lane", "reason")
COLUMNS = (*_LONGS, *_PRICES, *_QUOTED, *_SMALL, "record", "conditions", *_TEXTS)
# Each after its size.
_OWN = np.dtype([("longs", [("size", ">i4"), ("is", ">i8")], len(_LONGS))])
_SMALLS = np.dtype([("longs", [("size", ">i4"), ("is", ">i4")], len(_SMALL))])
_BEGIN = 2  # of the cells, behind their count
_NUMBERS = _BEGIN + _OWN.itemsize
# Which of the numbers are NULL, in trades and in quotes.
_NULLS = {trade: (*[not trade] * len(_PRICES), *[trade] * len(_QUOTED)) for trade in (True, False)}
_BEYOND = bytes(256)  # behind the last row: who takes a size from elsewhere reads on into it

Run = tuple[bytes, bytes]  # what is hashed before the offset, and after it before the longs


class _Plain(NamedTuple):
    """Rows of one kind whose numbers could be read, and where the cells behind them begin."""

    rows: list[int]
    longs: Longs  # the offset, and what the record has
    tails: list[int]


class TickLeaves:
    """Reads the rows of `ticks` of one partition."""

    def __init__(self, place: tuple[str, int], codec: Codec, leaves: Leaves) -> None:
        self._place, self._codec, self._leaves = place, codec, leaves
        self._runs: dict[bytes, Run] = {}

    def slices(self, connection: Connection, aside: Connection, asked: Range) -> Iterator[Slice]:
        """The leaves of rows in order; `aside` is asked for those that are not plain."""
        for rows in bulk.rows(connection, ticks.TABLE, COLUMNS, asked):
            yield self._slice(rows, aside)

    def _slice(self, rows: Sequence[bytes], aside: Connection) -> Slice:
        data = b"".join((*rows, _BEYOND))
        ends = np.fromiter(map(len, rows), np.int64, len(rows)).cumsum()
        starts = np.concatenate(([0], ends[:-1]))
        own = numerics.windows(data, _OWN)[starts + _BEGIN]["longs"]
        longs = own["is"].astype(np.int64)
        cells = numerics.cells(data, starts + _NUMBERS, ends, len(_PRICES) + len(_QUOTED))
        at_us, at_ns = longs[:, 0], longs[:, 3]
        sound = cells.sound & (at_us == at_ns // 1000 - EPOCH_US) & (own["size"] == 8).all(axis=1)
        found = [b""] * len(rows)
        for trade, nulls in _NULLS.items():
            of_kind = sound & (cells.null == nulls).all(axis=1)
            plain = _plain(data, starts, longs, cells, np.flatnonzero(of_kind), trade)
            self._fill(found, rows, plain, trade)
        offsets: list[int] = longs[:, 1].tolist()
        return offsets, bulk.completed(
            aside,
            ticks.TABLE,
            self._place,
            offsets,
            found,
            codec=self._codec,
            leaves=self._leaves,
        )

    def _fill(self, found: list[bytes], rows: Sequence[bytes], plain: _Plain, trade: bool) -> None:
        """The leaves of plain trades, or quotes."""
        known = self._runs
        keys = [rows[index][tail:] for index, tail in zip(plain.rows, plain.tails, strict=True)]
        runs = [known.get(key) or self._begin(key, trade) for key in keys]
        offsets = plain.longs[:, 0].astype(">i8").view("V8").tolist()
        written = longs_of_rows(plain.longs[:, 1:])
        for index, run, offset, own in zip(plain.rows, runs, offsets, written, strict=True):
            if run is not None:
                found[index] = sha256(b"".join((run[0], offset, run[1], own))).digest()

    def _begin(self, key: bytes, trade: bool) -> Run | None:
        """What all rows have in common of this key; None if our codec is to judge them."""
        if len(self._runs) >= MOST_RUNS:
            self._runs.clear()
        run = self._begun(key, trade)
        if run is not None:  # a record that is kept whole is in its key, and comes but once
            self._runs[key] = run
        return run

    def _begun(self, key: bytes, trade: bool) -> Run | None:
        try:
            *small, record, conditions, kind, instrument, venue, quality, lane, reason = fields_of(
                key, 0
            )
            texts = map(_text, (instrument, venue, quality, lane, reason))
            version = version_of(record)
            if version is None or kind != (b"trade" if trade else b"quote"):
                return None
            if trade is (conditions is None):
                return None
            fields = dict(zip((*_SMALL, *_TEXTS[1:]), [*map(_integer, small), *texts], strict=True))
            if conditions is not None:
                fields["conditions"] = integers_of(conditions)
            first, second = (self._encoded(fields, trade, long, version) for long in (0, -1))
        except (ValueError, ContractError):
            return None
        width = 6 if trade else 8
        if first[:-width] != second[:-width] or first[-width:] != bytes(width):
            return None  # the contract has its longs elsewhere than we think
        return self._leaves.begun(*self._place, first[:HEAD]), first[HEAD:-width]

    def _encoded(self, fields: dict[str, Any], trade: bool, long: int, version: int) -> bytes:
        longs = (*_LONGS[2:], *(_PRICES if trade else _QUOTED))
        whole: dict[str, Any] = fields | dict.fromkeys(longs, long)
        fact = TradePrinted(**whole) if trade else QuoteChanged(**whole)
        return self._codec.encode_as(fact, version)


def _plain(
    data: bytes, starts: Longs, longs: Longs, cells: numerics.Cells, chosen: Longs, trade: bool
) -> _Plain:
    _, price_scale, size_scale = _smalls(data, cells.after[chosen])
    scales = [price_scale, size_scale] if trade else [price_scale] * 2 + [size_scale] * 2
    first = 0 if trade else len(_PRICES)
    columns: list[Longs] = [longs[chosen, 1:]]
    sound = np.ones(len(chosen), np.bool_)
    for place, scale in enumerate(scales, first):
        number, exact = numerics.units(data, cells.at[place][chosen], scale)
        columns.append(number)
        sound &= exact
    rows = chosen[sound]
    tails: list[int] = (cells.after[rows] - starts[rows]).tolist()
    return _Plain(rows.tolist(), np.column_stack(columns)[sound], tails)


def _smalls(data: bytes, at: Longs) -> Longs:
    """By column."""
    found: Longs = numerics.windows(data, _SMALLS)[at]["longs"]["is"].astype(np.int64).T
    return found


def _integer(field: bytes | None) -> int:
    if field is None or len(field) != 4:
        raise ValueError("no integer of four bytes")
    return int.from_bytes(field, signed=True)


def _text(field: bytes | None) -> str:
    if field is None:
        raise ValueError("no text")
    return field.decode()
